/* Preloaded (LD_PRELOAD), it shifts the wall clock of a process by as many seconds as the file that
 * $WALL_CLOCK names holds, eight bytes that may change at any time. Other clocks are left alone, as
 * they are by whoever sets a machine's time. The file is mapped at the start: a sandbox may follow.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *volatile shift;

static __attribute__((constructor)) void map_shift(void)
{
    int file = open(getenv("WALL_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, file, 0);

    if (mapped == MAP_FAILED) {
        abort();
    }
    shift = mapped;
    close(file);
}

static int64_t shift_s(void)
{
    return shift ? __atomic_load_n(shift, __ATOMIC_RELAXED) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    static int (*real)(clockid_t, struct timespec *);
    int result;

    if (!real) {
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    }
    result = real(clock, out);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        out->tv_sec += shift_s();
    }
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}
