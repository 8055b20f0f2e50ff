/* Stands between a program and the calls by which it reaches its files, and disturbs one of them.
 *
 * Each call of a selected group, on a file below FAULTS_UNDER, is a step. Step FAULTS_AT (from 0,
 * and with FAULTS_LASTS each later one) fails, is cut short, or raises a signal. Every step is
 * logged as a line in FAULTS_LOG, the disturbed ones with a star, before the call is made.
 *
 *   FAULTS_GROUPS   letters: c create, w write, s sync, n rename or link, r read, d delete
 *   FAULTS_HOW      EIO, ENOSPC, EINTR: the error. SHORT: half of the bytes. KILL, INT, TERM: the
 *                   signal, after which the call is made
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum outcome { GO_ON, FAIL, SHORTEN };

static const char *groups = "", *under = "", *how = "";
static long at = -1;
static int lasts, log_fd = -1, fault_errno, fault_signal;
static atomic_long steps;

__attribute__((constructor)) static void set_up(void) {
    const char *log = getenv("FAULTS_LOG");
    if (!log)
        return;
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CLOEXEC);
    groups = getenv("FAULTS_GROUPS");
    under = getenv("FAULTS_UNDER");
    how = getenv("FAULTS_HOW");
    at = atol(getenv("FAULTS_AT"));
    lasts = getenv("FAULTS_LASTS") != NULL;
    fault_errno = !strcmp(how, "EIO") ? EIO : !strcmp(how, "ENOSPC") ? ENOSPC : !strcmp(how, "EINTR") ? EINTR : 0;
    fault_signal = !strcmp(how, "KILL") ? SIGKILL : !strcmp(how, "INT") ? SIGINT : !strcmp(how, "TERM") ? SIGTERM : 0;
}

static int is_below(const char *path) {
    return path[0] != '/' || !strncmp(path, under, strlen(under));
}

static enum outcome step(char group, const char *call, const char *path) {
    if (log_fd < 0 || !strchr(groups, group) || !is_below(path))
        return GO_ON;
    long this = atomic_fetch_add(&steps, 1);
    int disturbed = at >= 0 && (this == at || (lasts && this > at));
    char line[4400];
    int length = snprintf(line, sizeof line, "%s%s %s\n", disturbed ? "*" : "", call, path);
    int saved = errno;
    syscall(SYS_write, log_fd, line, length);
    errno = saved;
    if (!disturbed)
        return GO_ON;
    if (fault_signal)
        kill(getpid(), fault_signal);
    if (fault_errno) {
        errno = fault_errno;
        return FAIL;
    }
    return strcmp(how, "SHORT") ? GO_ON : SHORTEN;
}

static enum outcome step_of_file(char group, const char *call, int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return path[0] == '/' ? step(group, call, path) : GO_ON;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* A call on a path. */
#define ON_PATH(group, type, name, path, declared, passed)                                             \
    type name declared {                                                                               \
        return step(group, #name, path) == FAIL ? (type)-1 : REAL(name) passed;                        \
    }
/* A call on an open file. */
#define ON_FILE(group, type, name, declared, passed)                                                   \
    type name declared {                                                                               \
        return step_of_file(group, #name, fd) == FAIL ? (type)-1 : REAL(name) passed;                  \
    }
/* A call that moves `size` bytes, and may move fewer. */
#define MOVES(group, name, declared, passed)                                                           \
    ssize_t name declared {                                                                            \
        enum outcome outcome = step_of_file(group, #name, fd);                                         \
        if (outcome == SHORTEN && size > 1)                                                            \
            size /= 2;                                                                                 \
        return outcome == FAIL ? -1 : REAL(name) passed;                                               \
    }

MOVES('w', write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
MOVES('w', pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset))
MOVES('w', pwrite64, (int fd, const void *bytes, size_t size, off64_t offset), (fd, bytes, size, offset))
MOVES('r', read, (int fd, void *bytes, size_t size), (fd, bytes, size))
MOVES('r', pread, (int fd, void *bytes, size_t size, off_t offset), (fd, bytes, size, offset))
MOVES('r', pread64, (int fd, void *bytes, size_t size, off64_t offset), (fd, bytes, size, offset))

ON_FILE('w', ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
ON_FILE('w', int, ftruncate, (int fd, off_t length), (fd, length))
ON_FILE('w', int, ftruncate64, (int fd, off64_t length), (fd, length))
ON_FILE('s', int, fsync, (int fd), (fd))
ON_FILE('s', int, fdatasync, (int fd), (fd))
ON_FILE('n', int, fchmod, (int fd, mode_t mode), (fd, mode))

ON_PATH('c', int, mkdir, path, (const char *path, mode_t mode), (path, mode))
ON_PATH('n', int, chmod, path, (const char *path, mode_t mode), (path, mode))
ON_PATH('n', int, rename, to, (const char *from, const char *to), (from, to))
ON_PATH('n', int, renameat2, to, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
        (from_fd, from, to_fd, to, flags))
ON_PATH('n', int, linkat, to, (int from_fd, const char *from, int to_fd, const char *to, int flags),
        (from_fd, from, to_fd, to, flags))
ON_PATH('d', int, unlink, path, (const char *path), (path))
ON_PATH('d', int, unlinkat, path, (int fd, const char *path, int flags), (fd, path, flags))
ON_PATH('d', int, rmdir, path, (const char *path), (path))

#define OPENS(name)                                                                                    \
    int name(const char *path, int flags, ...) {                                                       \
        va_list rest;                                                                                  \
        va_start(rest, flags);                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                        \
        va_end(rest);                                                                                  \
        int makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;                               \
        return step(makes ? 'c' : 'r', #name, path) == FAIL ? -1 : REAL(name)(path, flags, mode);      \
    }

OPENS(open)
OPENS(open64)
