/* CLOCK_REALTIME plus the seconds written in the file $SKEW, as a wrong or corrected system clock. Other clocks are
   left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long skew(void)
{
    const char *name = getenv("SKEW");
    char text[32] = { 0 };
    int file = name ? open(name, O_RDONLY) : -1;
    long seconds = file >= 0 && read(file, text, sizeof text - 1) > 0 ? atol(text) : 0;
    if (file >= 0)
        close(file);
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, time);
    if (!failed && clock == CLOCK_REALTIME)
        time->tv_sec += skew();
    return failed;
}
