/* A network folder: NOLOCK=37 or 13 is the error with which it refuses locks of byte ranges (NFS without its lock
   service, CIFS), NOSHM=1 refuses memory that processes share. Only for the ledger. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int is_ledger(int file)
{
    char link[64], name[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, name, sizeof name - 1);
    name[length < 0 ? 0 : length] = 0;
    return strstr(name, "ledger.sqlite") && !strstr(name, ".lock");
}

static int locked(int file, int command, void *argument, int (*real)(int, int, ...))
{
    const char *refused = getenv("NOLOCK");
    if (refused && (command == F_SETLK || command == F_SETLKW) && is_ledger(file)) {
        errno = atoi(refused);
        return -1;
    }
    return real(file, command, argument);
}

#define LOCK(name)                                                                                                     \
    int name(int file, int command, ...)                                                                               \
    {                                                                                                                  \
        static int (*real)(int, int, ...);                                                                             \
        if (!real)                                                                                                     \
            real = dlsym(RTLD_NEXT, #name);                                                                            \
        va_list more;                                                                                                  \
        va_start(more, command);                                                                                       \
        void *argument = va_arg(more, void *);                                                                         \
        va_end(more);                                                                                                  \
        return locked(file, command, argument, real);                                                                  \
    }

LOCK(fcntl)
LOCK(fcntl64)

void *mmap(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real)
        real = dlsym(RTLD_NEXT, "mmap");
    if (file >= 0 && flags & MAP_SHARED && getenv("NOSHM") && is_ledger(file)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return real(at, length, protection, flags, file, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int file, off_t offset)
{
    return mmap(at, length, protection, flags, file, offset);
}
