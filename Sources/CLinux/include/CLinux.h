#ifndef WEIR_CLINUX_H
#define WEIR_CLINUX_H
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Every function answers with a negative error number when it fails, so that nobody reads errno. */

/* An Internet address; `family` is AF_INET, AF_INET6 or AF_UNIX (then only the family counts). */
typedef struct {
    int32_t family;
    uint16_t port;
    uint64_t high;
    uint64_t low; /* an IPv4 address stands in the low 32 bits */
} CLinux_address;

/* What Weir uses of TCP_INFO. */
typedef struct {
    uint32_t round_trip_us;
    uint32_t retransmits;
    uint32_t lost;
    uint64_t receive_window_limited_us;
    uint64_t bytes_acknowledged;
} CLinux_tcp_statistics;

/* Processors that this process may run on. */
int CLinux_usable_processors(void);

/* The longest path of a Unix socket, in bytes, without the zero at its end. */
int CLinux_path_limit(void);

/* A non-blocking, close-on-exec stream socket. */
int CLinux_socket(int family);
int CLinux_bind(int fd, CLinux_address address, const char *path);
int CLinux_listen(int fd, int backlog);
int CLinux_connect(int fd, CLinux_address address, const char *path);
int CLinux_accept(int fd, CLinux_address *peer);
int CLinux_local_name(int fd, CLinux_address *local);
int CLinux_close(int fd);
/* Unlinks a path if a Unix socket stands there, and nothing else. */
int CLinux_remove_socket(const char *path);

int CLinux_set_reuse_address(int fd);
int CLinux_set_reuse_port(int fd);
/* TCP_NODELAY, and an end to a connection whose bytes stay unacknowledged for so long. */
int CLinux_tune_tcp(int fd, unsigned user_timeout_ms);
/* Lets close(2) send a reset and drop what waits. */
int CLinux_linger_zero(int fd);
/* The pending error of the socket as a positive number; 0 if there is none. */
int CLinux_pending_error(int fd);
int CLinux_tcp_info(int fd, CLinux_tcp_statistics *statistics);
int CLinux_shutdown_sending(int fd);

ptrdiff_t CLinux_receive(int fd, void *buffer, size_t count);
/* The byte that the next receive begins with, which stays there; 256 at the end. */
int CLinux_peek(int fd);
ptrdiff_t CLinux_send(int fd, const void *bytes, size_t count);

int CLinux_epoll_create(void);
int CLinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int CLinux_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data);
int CLinux_epoll_remove(int epoll, int fd);
int CLinux_epoll_wait(int epoll, struct epoll_event *events, int limit, int timeout_ms);

int CLinux_eventfd(void);
void CLinux_eventfd_signal(int fd);
void CLinux_eventfd_clear(int fd);

/* Nanoseconds of CLOCK_MONOTONIC; milliseconds of CLOCK_REALTIME. */
int64_t CLinux_monotonic_ns(void);
int64_t CLinux_wall_ms(void);
/* CPU time that the calling thread has used. */
int64_t CLinux_thread_cpu_ns(void);

/* Starts a thread that has the signals of the whole process (SIGTERM and its like) blocked. Its name is cut to 15 bytes. */
int CLinux_start_thread(
    uint64_t *thread, const char *name, void (*body)(void *context), void *context);
int CLinux_join_thread(uint64_t thread);
uint64_t CLinux_current_thread(void);

/* Raises the soft limit of descriptors to the hard one and answers with the soft limit. */
int64_t CLinux_raise_descriptor_limit(void);
void CLinux_ignore_sigpipe(void);

/* Resolves a host to at most `limit` stream addresses; answers with their count or a negative
   number: -1 not found, -2 try again, -3 any other failure. Blocks. */
int CLinux_resolve(const char *host, uint16_t port, CLinux_address *addresses, int limit);
/* Reads an address in digits; 1 if it is one, else 0. */
int CLinux_parse_address(const char *text, uint16_t port, CLinux_address *address);

/* Blocks SIGTERM, SIGINT and SIGHUP for the caller and the threads it starts later, and opens a
   descriptor that reports them. */
int CLinux_signal_descriptor(void);
/* Waits for the next signal of `fd`; its number, or 0 when `stop` (an eventfd) is signalled. */
int CLinux_wait_signal(int fd, int stop);
#endif
