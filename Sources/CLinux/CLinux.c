#define _GNU_SOURCE
#include <sched.h>
#include "CLinux.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_t) == sizeof(uint64_t), "a pthread_t is handed out as 64 bits");

static int result(int value) { return value < 0 ? -errno : value; }

/* Addresses */

union any_address {
    struct sockaddr general;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage storage;
};

int CLinux_path_limit(void) { return sizeof(((struct sockaddr_un *)0)->sun_path) - 1; }

/* The length of what was written to `to`; 0 if the path is too long. */
static socklen_t encode(CLinux_address from, const char *path, union any_address *to) {
    memset(to, 0, sizeof *to);
    to->general.sa_family = (sa_family_t)from.family;
    if (from.family == AF_INET) {
        to->v4.sin_port = htons(from.port);
        to->v4.sin_addr.s_addr = htonl((uint32_t)from.low);
        return sizeof to->v4;
    }
    if (from.family == AF_INET6) {
        uint64_t words[2] = {htobe64(from.high), htobe64(from.low)};
        to->v6.sin6_port = htons(from.port);
        memcpy(&to->v6.sin6_addr, words, sizeof words);
        return sizeof to->v6;
    }
    if (path == NULL) return 0;
    size_t length = strlen(path);
    if (length > (size_t)CLinux_path_limit()) return 0;
    memcpy(to->local.sun_path, path, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static CLinux_address decode(const union any_address *from) {
    CLinux_address to = {.family = from->general.sa_family};
    if (to.family == AF_INET) {
        to.port = ntohs(from->v4.sin_port);
        to.low = ntohl(from->v4.sin_addr.s_addr);
    } else if (to.family == AF_INET6) {
        uint64_t words[2];
        memcpy(words, &from->v6.sin6_addr, sizeof words);
        to.port = ntohs(from->v6.sin6_port);
        to.high = be64toh(words[0]);
        to.low = be64toh(words[1]);
    }
    return to;
}

int CLinux_resolve(const char *host, uint16_t port, CLinux_address *addresses, int limit) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(host, NULL, &hints, &list);
    if (failure == EAI_ADDRFAMILY || failure == EAI_NODATA || failure == EAI_NONAME) {
        /* AI_ADDRCONFIG hides everything on a machine that has the loopback only. */
        hints.ai_flags = 0;
        failure = getaddrinfo(host, NULL, &hints, &list);
    }
    if (failure == EAI_NONAME || failure == EAI_NODATA || failure == EAI_ADDRFAMILY) return -1;
    if (failure == EAI_AGAIN) return -2;
    if (failure != 0) return -3;
    int count = 0;
    for (struct addrinfo *next = list; next != NULL && count < limit; next = next->ai_next) {
        if (next->ai_family != AF_INET && next->ai_family != AF_INET6) continue;
        addresses[count] = decode((const union any_address *)next->ai_addr);
        addresses[count++].port = port;
    }
    freeaddrinfo(list);
    return count == 0 ? -1 : count;
}

int CLinux_parse_address(const char *text, uint16_t port, CLinux_address *address) {
    union any_address parsed;
    memset(&parsed, 0, sizeof parsed);
    if (inet_pton(AF_INET, text, &parsed.v4.sin_addr) == 1) {
        parsed.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &parsed.v6.sin6_addr) == 1) {
        parsed.v6.sin6_family = AF_INET6;
    } else {
        return 0;
    }
    *address = decode(&parsed);
    address->port = port;
    return 1;
}

/* Sockets */

int CLinux_socket(int family) {
    return result(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int CLinux_bind(int fd, CLinux_address address, const char *path) {
    union any_address encoded;
    socklen_t length = encode(address, path, &encoded);
    return length == 0 ? -ENAMETOOLONG : result(bind(fd, &encoded.general, length));
}

int CLinux_listen(int fd, int backlog) { return result(listen(fd, backlog)); }

int CLinux_connect(int fd, CLinux_address address, const char *path) {
    union any_address encoded;
    socklen_t length = encode(address, path, &encoded);
    return length == 0 ? -ENAMETOOLONG : result(connect(fd, &encoded.general, length));
}

int CLinux_accept(int fd, CLinux_address *peer) {
    union any_address encoded;
    memset(&encoded, 0, sizeof encoded);
    socklen_t length = sizeof encoded;
    int accepted = accept4(fd, &encoded.general, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) *peer = decode(&encoded);
    return result(accepted);
}

int CLinux_local_name(int fd, CLinux_address *local) {
    union any_address encoded;
    memset(&encoded, 0, sizeof encoded);
    socklen_t length = sizeof encoded;
    int outcome = getsockname(fd, &encoded.general, &length);
    if (outcome == 0) *local = decode(&encoded);
    return result(outcome);
}

int CLinux_remove_socket(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0) return -errno;
    if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
    return result(unlink(path));
}

int CLinux_close(int fd) { return result(close(fd)); }

static int set_option(int fd, int level, int name, int value) {
    return result(setsockopt(fd, level, name, &value, sizeof value));
}

int CLinux_set_reuse_address(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); }
int CLinux_set_reuse_port(int fd) { return set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); }

int CLinux_tune_tcp(int fd, unsigned user_timeout_ms) {
    int outcome = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (outcome < 0) return outcome;
    return set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)user_timeout_ms);
}

int CLinux_linger_zero(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

int CLinux_pending_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

int CLinux_tcp_info(int fd, CLinux_tcp_statistics *statistics) {
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return -errno;
    statistics->round_trip_us = info.tcpi_rtt;
    statistics->retransmits = info.tcpi_total_retrans;
    statistics->lost = info.tcpi_lost;
    statistics->receive_window_limited_us = info.tcpi_rwnd_limited;
    statistics->bytes_acknowledged = info.tcpi_bytes_acked;
    return 0;
}

int CLinux_shutdown_sending(int fd) { return result(shutdown(fd, SHUT_WR)); }

ptrdiff_t CLinux_receive(int fd, void *buffer, size_t count) {
    ssize_t outcome;
    do outcome = recv(fd, buffer, count, 0);
    while (outcome < 0 && errno == EINTR);
    return outcome < 0 ? -errno : outcome;
}

int CLinux_peek(int fd) {
    unsigned char byte;
    ssize_t outcome;
    do outcome = recv(fd, &byte, 1, MSG_PEEK);
    while (outcome < 0 && errno == EINTR);
    return outcome < 0 ? -errno : outcome == 0 ? 256 : byte;
}

ptrdiff_t CLinux_send(int fd, const void *bytes, size_t count) {
    ssize_t outcome;
    do outcome = send(fd, bytes, count, MSG_NOSIGNAL);
    while (outcome < 0 && errno == EINTR);
    return outcome < 0 ? -errno : outcome;
}

/* Readiness */

int CLinux_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return result(epoll_ctl(epoll, operation, fd, &event));
}

int CLinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, data);
}

int CLinux_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, data);
}

int CLinux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int CLinux_epoll_wait(int epoll, struct epoll_event *events, int limit, int timeout_ms) {
    return result(epoll_wait(epoll, events, limit, timeout_ms));
}

int CLinux_eventfd(void) { return result(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
void CLinux_eventfd_signal(int fd) { (void)eventfd_write(fd, 1); }

void CLinux_eventfd_clear(int fd) {
    eventfd_t count;
    (void)eventfd_read(fd, &count);
}

/* Time */

int64_t CLinux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t CLinux_thread_cpu_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t CLinux_wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Threads and the process */

struct start {
    void (*body)(void *);
    void *context;
};

static void *run(void *raw) {
    struct start start = *(struct start *)raw;
    free(raw);
    start.body(start.context);
    return NULL;
}

int CLinux_start_thread(
    uint64_t *thread, const char *name, void (*body)(void *context), void *context) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return -ENOMEM;
    *start = (struct start){.body = body, .context = context};
    /* Not the signals of crashes, nor those that crash reporters and profilers send to threads. */
    static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGCHLD, SIGALRM, SIGWINCH};
    sigset_t mask, before;
    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) sigaddset(&mask, blocked[i]);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    pthread_t created;
    int failure = pthread_create(&created, NULL, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        free(start);
        return -failure;
    }
    char short_name[16] = {0};
    strncpy(short_name, name, sizeof short_name - 1);
    pthread_setname_np(created, short_name);
    *thread = (uint64_t)created;
    return 0;
}

int CLinux_join_thread(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }
uint64_t CLinux_current_thread(void) { return (uint64_t)pthread_self(); }

int64_t CLinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

void CLinux_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

int CLinux_signal_descriptor(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGHUP);
    int failure = pthread_sigmask(SIG_BLOCK, &mask, NULL);
    if (failure != 0) return -failure;
    return result(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
}

int CLinux_wait_signal(int fd, int stop) {
    for (;;) {
        struct pollfd waiting[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
        if (poll(waiting, 2, -1) < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        if (waiting[1].revents != 0) return 0;
        struct signalfd_siginfo info;
        if (read(fd, &info, sizeof info) == sizeof info) return (int)info.ssi_signo;
    }
}

int CLinux_usable_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}
