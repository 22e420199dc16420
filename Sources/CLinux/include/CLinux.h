#ifndef WEIR_CLINUX_H
#define WEIR_CLINUX_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
