#ifndef WEIR_CSQLITE_H
#define WEIR_CSQLITE_H
#include <sqlite3.h>
#include <stdint.h>
#include <time.h>

/* Whether the monotonic clock, in nanoseconds, has reached *deadline; 0: never. */
static inline int CSQLite_is_late(void *deadline)
{
    struct timespec now;
    int64_t end = *(const int64_t *)deadline;
    if (end == 0) return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= end;
}

/* Lets statements end with SQLITE_INTERRUPT after *deadline, which has to outlive the handle's use. */
static inline void CSQLite_bound(sqlite3 *handle, int64_t *deadline)
{
    sqlite3_progress_handler(handle, 10000, CSQLite_is_late, deadline);
}

/* SQLITE_TRANSIENT is a cast that Swift cannot import: SQLite takes a copy of the text. */
static inline int CSQLite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int byteCount)
{
    return sqlite3_bind_text(statement, index, text, byteCount, SQLITE_TRANSIENT);
}

/* SQLITE_STATIC: the bytes stay where they are until the statement is reset. */
static inline int CSQLite_lend_text(
    sqlite3_stmt *statement, int index, const void *text, int byteCount)
{
    return sqlite3_bind_text(statement, index, text, byteCount, SQLITE_STATIC);
}

static inline int CSQLite_lend_blob(
    sqlite3_stmt *statement, int index, const void *bytes, int byteCount)
{
    return sqlite3_bind_blob(statement, index, bytes, byteCount, SQLITE_STATIC);
}
#endif
