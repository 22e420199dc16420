#ifndef WEIR_CHIREDIS_H
#define WEIR_CHIREDIS_H
#include <hiredis/hiredis.h>
#endif
