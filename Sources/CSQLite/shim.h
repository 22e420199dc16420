#ifndef WEIR_CSQLITE_H
#define WEIR_CSQLITE_H
#include <sqlite3.h>
#endif
