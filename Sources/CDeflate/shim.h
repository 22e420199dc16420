#ifndef WEIR_CDEFLATE_H
#define WEIR_CDEFLATE_H
#include <libdeflate.h>
#endif
