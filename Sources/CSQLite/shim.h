#ifndef WEIR_CSQLITE_H
#define WEIR_CSQLITE_H
#include <sqlite3.h>

/* SQLITE_TRANSIENT is a cast that Swift cannot import: SQLite takes a copy of the text. */
static inline int CSQLite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int byteCount)
{
    return sqlite3_bind_text(statement, index, text, byteCount, SQLITE_TRANSIENT);
}

/* SQLITE_STATIC: the bytes stay where they are until the statement is reset. */
static inline int CSQLite_lend_text(
    sqlite3_stmt *statement, int index, const char *text, int byteCount)
{
    return sqlite3_bind_text(statement, index, text, byteCount, SQLITE_STATIC);
}

static inline int CSQLite_lend_blob(
    sqlite3_stmt *statement, int index, const void *bytes, int byteCount)
{
    return sqlite3_bind_blob(statement, index, bytes, byteCount, SQLITE_STATIC);
}
#endif
