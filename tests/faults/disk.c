/*
 * A disk that fails on purpose: loaded into real processes with LD_PRELOAD, below one directory and nowhere else.
 *
 * What it does is said in a file that the test has mapped, too (`struct control`, and tests/faults/disk.py has the same
 * layout): it answers operations with an errno, is slow, says that it has synced and has not, kills its process at the
 * n-th operation, and writes down, in the order in which they happened, all operations that change something.
 *
 * BLOCKPOST_DISK is the directory, without symbolic links in it; BLOCKPOST_DISK_CONTROL the file.
 *
 * Calls go to the kernel, not to the C library, so there is nothing to look up. Only 64-bit machines.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "a 64-bit machine");

enum kind { OPEN, READ, WRITE, TRUNCATE, SYNC, RENAME, LINK, UNLINK, MKDIR, CHMOD, KINDS };

enum event {
    CREATED = 1, WROTE, TRUNCATED, SYNCED, SYNC_FAILED, SYNC_LIED, RENAMED, LINKED, UNLINKED, MADE_DIRECTORY,
    REMOVED_DIRECTORY, CHANGED_MODE, SENT
};

enum only { ANY, GROWING, FOR_WRITING };

#define RULES 16
#define PART 64

struct rule {
    int32_t armed;      /* written last when it begins, first when it ends */
    uint32_t kinds;     /* bits */
    int32_t error;      /* an errno; 0: the operation goes well */
    int32_t skip;       /* so many are let go before it begins */
    int32_t times;      /* so many it hits; -1: all */
    int32_t delay;      /* ms */
    int32_t lies;       /* a sync is answered with success, and not done */
    int32_t only;       /* enum only */
    int32_t hits;
    char part[PART];    /* only paths that contain this */
};

struct control {
    uint32_t ready;     /* 0, 1 while the lock is made, 2 */
    int32_t recording;
    int32_t sent;       /* record what goes out over sockets, too */
    int32_t dead;       /* the power is off: whoever comes next is killed */
    int32_t kill_armed;
    uint32_t kill_kinds;
    int32_t kill_left;  /* so many are let go before */
    int32_t kill_after; /* when it is done, and not before it */
    char kill_part[PART];
    uint64_t counts[KINDS];
    uint64_t capacity;  /* bytes for records */
    uint64_t cursor;    /* bytes of records */
    int32_t overflow;
    int32_t unused;
    struct rule rules[RULES];
    char lock[64];      /* a pthread_mutex_t */
};

_Static_assert(sizeof(pthread_mutex_t) <= 64, "the lock has its place");

#define RECORDS 4096    /* where they begin in the file */
_Static_assert(sizeof(struct control) <= RECORDS, "records come after");

struct record {
    uint32_t event;
    uint32_t pid;
    uint64_t inode;
    int64_t offset;     /* or the new size */
    uint32_t mode;
    uint32_t first;     /* bytes of a path, or of what was written */
    uint32_t second;    /* bytes of a second path */
    uint32_t unused;
};

static struct control *control;
static char root[PATH_MAX];
static size_t root_length;

static pthread_mutex_t *lock(void) { return (pthread_mutex_t *)(void *)control->lock; }

__attribute__((constructor)) static void begin(void)
{
    const char *directory = getenv("BLOCKPOST_DISK"), *file = getenv("BLOCKPOST_DISK_CONTROL");
    if (directory == NULL || file == NULL || strlen(directory) >= sizeof root)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    struct stat found;
    if (fd < 0 || fstat(fd, &found) != 0)
        return; /* the test is over, and a process of it outlived it */
    void *mapped = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (mapped == MAP_FAILED)
        return;
    strcpy(root, directory);
    root_length = strlen(root);
    struct control *shared = mapped;
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(&shared->ready, &none, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        pthread_mutexattr_t how;
        pthread_mutexattr_init(&how);
        pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
        /* Its holder may be killed. */
        pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init((pthread_mutex_t *)(void *)shared->lock, &how);
        __atomic_store_n(&shared->ready, 2, __ATOMIC_SEQ_CST);
    }
    while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) != 2)
        ;
    control = shared;
}

/* Paths */

static int is_below(const char *path)
{
    return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

/* The path of what is open, if it is a file or a directory below the root. One that was unlinked has a strange name. */
static int path_of(int fd, char *path, struct stat *found)
{
    char link[64];
    if (control == NULL || fstat(fd, found) != 0 || !(S_ISREG(found->st_mode) || S_ISDIR(found->st_mode)))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

/* An absolute path without links, whether there is such a file or not; false if it is not below the root. */
static int resolve(int directory, const char *given, char *path)
{
    char whole[2 * PATH_MAX], parent[PATH_MAX];
    if (control == NULL || given == NULL || strlen(given) >= PATH_MAX)
        return 0;
    if (given[0] == '/' || directory == AT_FDCWD)
        strcpy(whole, given);
    else {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        long length = syscall(SYS_readlinkat, AT_FDCWD, link, whole, PATH_MAX - 1);
        if (length < 0)
            return 0;
        whole[length] = '/';
        strcpy(whole + length + 1, given);
    }
    size_t length = strlen(whole);
    while (length > 1 && whole[length - 1] == '/')
        whole[--length] = 0;
    char *name = strrchr(whole, '/');
    if (name == NULL) {
        name = whole;
        if (realpath(".", parent) == NULL)
            return 0;
    } else {
        *name++ = 0;
        if (strcmp(whole, root) == 0)
            strcpy(parent, root); /* the usual case, without a look at each directory */
        else if (realpath(whole[0] ? whole : "/", parent) == NULL)
            return 0;
    }
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return realpath(given, path) != NULL && is_below(path);
    if (strlen(parent) + strlen(name) + 2 > PATH_MAX)
        return 0;
    if (strcmp(parent, "/") == 0)
        parent[0] = 0;
    sprintf(path, "%s/%s", parent, name);
    return is_below(path);
}

/* What is written down */

static void record(enum event event, const struct stat *about, int64_t offset, const void *first, size_t first_bytes,
                   const char *second)
{
    if (!control->recording)
        return;
    size_t second_bytes = second == NULL ? 0 : strlen(second);
    uint64_t need = (sizeof(struct record) + first_bytes + second_bytes + 7) & ~7ULL;
    if (control->cursor + need > control->capacity) {
        control->overflow = 1;
        return;
    }
    char *at = (char *)control + RECORDS + control->cursor;
    struct record made = {
        .event = event, .pid = (uint32_t)getpid(), .offset = offset, .first = (uint32_t)first_bytes,
        .second = (uint32_t)second_bytes,
    };
    if (about != NULL) {
        made.inode = about->st_ino;
        made.mode = about->st_mode & 07777;
    }
    memcpy(at, &made, sizeof made);
    memcpy(at + sizeof made, first, first_bytes);
    if (second_bytes)
        memcpy(at + sizeof made + first_bytes, second, second_bytes);
    /* It counts when it is whole. */
    __atomic_store_n(&control->cursor, control->cursor + need, __ATOMIC_SEQ_CST);
}

static const char *below(const char *path) { return path[root_length] ? path + root_length + 1 : ""; }

static void record_path(enum event event, const struct stat *about, const char *path, const char *second)
{
    record(event, about, 0, below(path), strlen(below(path)), second == NULL ? NULL : below(second));
}

/* What befalls an operation */

struct turn {
    int error; /* it fails with this */
    int lies;
    int kill;  /* when it is done */
};

static void power_off(void)
{
    control->dead = 1;
    pthread_mutex_unlock(lock());
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        ;
}

static int is_hit(struct rule *rule, enum kind kind, const char *path, int growing, int writing)
{
    if (!rule->armed || !(rule->kinds & (1u << kind)) || rule->times == 0)
        return 0;
    if (rule->only == GROWING && kind == WRITE && !growing)
        return 0;
    if (rule->only == FOR_WRITING && kind == OPEN && !writing)
        return 0;
    if (rule->part[0] && strstr(below(path), rule->part) == NULL)
        return 0;
    if (rule->skip > 0) {
        rule->skip--;
        return 0;
    }
    if (rule->times > 0)
        rule->times--;
    rule->hits++;
    return 1;
}

static void take_lock(void)
{
    if (pthread_mutex_lock(lock()) == EOWNERDEAD)
        pthread_mutex_consistent(lock());
    if (control->dead)
        power_off();
}

/* Before an operation. From here to `leave` nobody else does one: so records are in the order of what happened. */
static struct turn enter(enum kind kind, const char *path, int growing, int writing)
{
    struct turn turn = {0, 0, 0};
    int delay = 0;
    take_lock();
    control->counts[kind]++;
    if (control->kill_armed && (control->kill_kinds & (1u << kind)) &&
        (!control->kill_part[0] || strstr(below(path), control->kill_part) != NULL)) {
        if (control->kill_left > 0)
            control->kill_left--;
        else if (control->kill_after)
            turn.kill = 1;
        else
            power_off();
    }
    for (struct rule *rule = control->rules; rule < control->rules + RULES; rule++)
        if (is_hit(rule, kind, path, growing, writing)) {
            if (!turn.error)
                turn.error = rule->error;
            turn.lies |= rule->lies;
            delay += rule->delay;
        }
    if (delay > 0) {
        /* Others go on meanwhile. */
        pthread_mutex_unlock(lock());
        struct timespec left = {delay / 1000, delay % 1000 * 1000000L};
        while (nanosleep(&left, &left) != 0 && errno == EINTR)
            ;
        take_lock();
    }
    return turn;
}

static long leave(struct turn turn, long result)
{
    int error = errno;
    if (turn.kill)
        power_off();
    pthread_mutex_unlock(lock());
    errno = error;
    return result;
}

static long fails(struct turn turn)
{
    errno = turn.error;
    return leave(turn, -1);
}

/* Opening */

static int opens(int directory, const char *given, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat before, after;
    if (!resolve(directory, given, path))
        return (int)syscall(SYS_openat, directory, given, flags, mode);
    int writing = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    struct turn turn = enter(OPEN, path, 0, writing);
    if (turn.error)
        return (int)fails(turn);
    int was_there = fstatat(AT_FDCWD, path, &before, 0) == 0;
    long fd = syscall(SYS_openat, directory, given, flags, mode);
    int error = errno;
    if (fd >= 0 && fstat((int)fd, &after) == 0) {
        if ((flags & O_CREAT) && !was_there)
            record_path(CREATED, &after, path, NULL);
        else if ((flags & O_TRUNC) && writing)
            record(TRUNCATED, &after, 0, "", 0, NULL);
    }
    errno = error;
    return (int)leave(turn, fd);
}

#define MODE(flags, last)                                        \
    mode_t mode = 0;                                             \
    if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {      \
        va_list rest;                                            \
        va_start(rest, last);                                    \
        mode = va_arg(rest, mode_t);                             \
        va_end(rest);                                            \
    }

int open(const char *path, int flags, ...) { MODE(flags, flags) return opens(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags) return opens(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, flags) return opens(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, flags) return opens(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opens(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opens(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opens(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opens(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* Reading */

#define READING(number, ...)                                     \
    char path[PATH_MAX];                                         \
    struct stat found;                                           \
    if (!path_of(fd, path, &found))                              \
        return syscall(number, fd, __VA_ARGS__);                 \
    struct turn turn = enter(READ, path, 0, 0);                  \
    if (turn.error)                                              \
        return fails(turn);                                      \
    return leave(turn, syscall(number, fd, __VA_ARGS__));

ssize_t read(int fd, void *into, size_t size) { READING(SYS_read, into, size) }
ssize_t pread(int fd, void *into, size_t size, off_t at) { READING(SYS_pread64, into, size, at) }
ssize_t pread64(int fd, void *into, size_t size, off64_t at) { READING(SYS_pread64, into, size, at) }

/* Writing; `at` is -1 where the file's own position counts. */

static ssize_t writes(int fd, const void *data, size_t size, off_t at)
{
    char path[PATH_MAX];
    struct stat found;
    if (!path_of(fd, path, &found)) {
        ssize_t gone = at < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, at);
        return gone;
    }
    off_t offset = at;
    if (at < 0)
        offset = fcntl(fd, F_GETFL) & O_APPEND ? found.st_size : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    struct turn turn = enter(WRITE, path, offset + (off_t)size > found.st_size, 1);
    if (turn.error)
        return fails(turn);
    ssize_t gone = at < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, at);
    if (gone > 0)
        record(WROTE, &found, offset, data, (size_t)gone, NULL);
    return leave(turn, gone);
}

ssize_t write(int fd, const void *data, size_t size) { return writes(fd, data, size, -1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return writes(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return writes(fd, data, size, at); }

/* Piece by piece: a cut between two of them is one that the kernel may make, too. */
static ssize_t gathers(int fd, const struct iovec *pieces, int count, off_t at)
{
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len == 0)
            continue;
        ssize_t gone = writes(fd, pieces[i].iov_base, pieces[i].iov_len, at < 0 ? -1 : at + all);
        if (gone < 0)
            return all ? all : -1;
        all += gone;
        if ((size_t)gone < pieces[i].iov_len)
            break;
    }
    return all;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    char path[PATH_MAX];
    struct stat found;
    return path_of(fd, path, &found) ? gathers(fd, pieces, count, -1) : syscall(SYS_writev, fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    char path[PATH_MAX];
    struct stat found;
    return path_of(fd, path, &found) ? gathers(fd, pieces, count, at)
                                     : syscall(SYS_pwritev, fd, pieces, count, at, 0);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) { return pwritev(fd, pieces, count, at); }

/* Whoever copies within the kernel falls back to reading and writing. */
ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    char path[PATH_MAX];
    struct stat found;
    if (path_of(out, path, &found)) {
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_sendfile, out, in, offset, count);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) { return sendfile(out, in, offset, count); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags)
{
    char path[PATH_MAX];
    struct stat found;
    if (path_of(out, path, &found)) {
        errno = EXDEV;
        return -1;
    }
    return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
}

int ftruncate(int fd, off_t size)
{
    char path[PATH_MAX];
    struct stat found;
    if (!path_of(fd, path, &found))
        return (int)syscall(SYS_ftruncate, fd, size);
    struct turn turn = enter(TRUNCATE, path, size > found.st_size, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_ftruncate, fd, size);
    if (result == 0)
        record(TRUNCATED, &found, size, "", 0, NULL);
    return (int)leave(turn, result);
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int truncate(const char *given, off_t size)
{
    int fd = opens(AT_FDCWD, given, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = ftruncate(fd, size), error = errno;
    syscall(SYS_close, fd);
    errno = error;
    return result;
}

int truncate64(const char *given, off64_t size) { return truncate(given, size); }

/* Syncing. While it is recorded, the record says what is durable, and the machine's own disk is left alone. */

static int syncs(int fd, long number)
{
    char path[PATH_MAX];
    struct stat found;
    if (!path_of(fd, path, &found))
        return (int)syscall(number, fd);
    struct turn turn = enter(SYNC, path, 0, 0);
    if (turn.error) {
        record(SYNC_FAILED, &found, 0, "", 0, NULL);
        return (int)fails(turn);
    }
    long result = turn.lies || control->recording ? 0 : syscall(number, fd);
    if (result == 0)
        record(turn.lies ? SYNC_LIED : SYNCED, &found, 0, "", 0, NULL);
    return (int)leave(turn, result);
}

int fsync(int fd) { return syncs(fd, SYS_fsync); }
int fdatasync(int fd) { return syncs(fd, SYS_fdatasync); }

/* Names */

static int renames(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    char old[PATH_MAX], new[PATH_MAX];
    if (!resolve(from_at, from, old) || !resolve(to_at, to, new))
        return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    struct turn turn = enter(RENAME, new, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (result == 0)
        record_path(RENAMED, NULL, old, new);
    return (int)leave(turn, result);
}

int rename(const char *from, const char *to) { return renames(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renames(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renames(a, from, b, to, flags); }

static int links(int from_at, const char *from, int to_at, const char *to, int flags)
{
    char old[PATH_MAX], new[PATH_MAX];
    if (!resolve(from_at, from, old) || !resolve(to_at, to, new))
        return (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
    struct turn turn = enter(LINK, new, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_linkat, from_at, from, to_at, to, flags);
    if (result == 0)
        record_path(LINKED, NULL, old, new);
    return (int)leave(turn, result);
}

int link(const char *from, const char *to) { return links(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return links(a, from, b, to, flags); }

static int unlinks(int at, const char *given, int flags)
{
    char path[PATH_MAX];
    if (!resolve(at, given, path))
        return (int)syscall(SYS_unlinkat, at, given, flags);
    struct turn turn = enter(UNLINK, path, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_unlinkat, at, given, flags);
    if (result == 0)
        record_path(flags & AT_REMOVEDIR ? REMOVED_DIRECTORY : UNLINKED, NULL, path, NULL);
    return (int)leave(turn, result);
}

int unlink(const char *path) { return unlinks(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return unlinks(at, path, flags); }
int rmdir(const char *path) { return unlinks(AT_FDCWD, path, AT_REMOVEDIR); }

static int makes(int at, const char *given, mode_t mode)
{
    char path[PATH_MAX];
    struct stat made;
    if (!resolve(at, given, path))
        return (int)syscall(SYS_mkdirat, at, given, mode);
    struct turn turn = enter(MKDIR, path, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_mkdirat, at, given, mode);
    if (result == 0 && fstatat(AT_FDCWD, path, &made, 0) == 0)
        record_path(MADE_DIRECTORY, &made, path, NULL);
    return (int)leave(turn, result);
}

int mkdir(const char *path, mode_t mode) { return makes(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return makes(at, path, mode); }

int fchmod(int fd, mode_t mode)
{
    char path[PATH_MAX];
    struct stat found;
    if (!path_of(fd, path, &found))
        return (int)syscall(SYS_fchmod, fd, mode);
    struct turn turn = enter(CHMOD, path, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_fchmod, fd, mode);
    if (result == 0 && fstat(fd, &found) == 0)
        record(CHANGED_MODE, &found, 0, "", 0, NULL);
    return (int)leave(turn, result);
}

static int modes(int at, const char *given, mode_t mode)
{
    char path[PATH_MAX];
    struct stat found;
    if (!resolve(at, given, path))
        return (int)syscall(SYS_fchmodat, at, given, mode);
    struct turn turn = enter(CHMOD, path, 0, 1);
    if (turn.error)
        return (int)fails(turn);
    long result = syscall(SYS_fchmodat, at, given, mode);
    if (result == 0 && fstatat(AT_FDCWD, path, &found, 0) == 0)
        record(CHANGED_MODE, &found, 0, "", 0, NULL);
    return (int)leave(turn, result);
}

int chmod(const char *path, mode_t mode) { return modes(AT_FDCWD, path, mode); }
int fchmodat(int at, const char *path, mode_t mode, int flags) { (void)flags; return modes(at, path, mode); }

/* What goes out, in order with what was written: it shows what had been told to others when the power failed. */

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    if (control != NULL) {
        take_lock(); /* or never come back: without power nothing goes out */
        if (control->sent)
            record(SENT, NULL, 0, data, size, NULL);
        pthread_mutex_unlock(lock());
    }
    return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}
