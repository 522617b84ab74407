/* Runs schedule after schedule; the seed of one that fails is printed, and runs it again:
 *
 *     sim_schedules [--count N | --minutes N] [--first SEED] [--seed SEED] */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

static uint64_t happened[FAULT_COUNT];
static uint64_t clean_clients;

_Noreturn void sim_fail(const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "seed %llu: ", (unsigned long long)world.seed);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nagain: --seed %llu\n", (unsigned long long)world.seed);
    _exit(1);
}

/* An assertion of the data path. */
static void on_abort(int signal)
{
    sim_fail("%s", signal == SIGABRT ? "aborted" : "crashed");
}

static void run(uint64_t seed)
{
    world_run(seed);
    clean_clients += world.clean_clients;
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        happened[fault] += fault_happened(fault);
    }
    reactor_deinit(&world.reactor);
}

/* A plan that nothing comes of would prove nothing. */
static void check_happened(uint64_t count)
{
    printf("%llu schedules, %llu connections that had all their bytes\n", (unsigned long long)count,
           (unsigned long long)clean_clients);
    SIM_CHECK(clean_clients > count, "hardly any connection got through");
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        printf("fault %d: %llu times\n", fault, (unsigned long long)happened[fault]);
        SIM_CHECK(happened[fault] > 0, "fault %d never happened", fault);
    }
}

int main(int argument_count, char **arguments)
{
    uint64_t first = 1;
    uint64_t count = 1000;
    double minutes = 0;
    time_t begin = time(NULL);
    uint64_t done = 0;

    for (int i = 1; i + 1 < argument_count; i += 2) {
        if (strcmp(arguments[i], "--seed") == 0) {
            first = strtoull(arguments[i + 1], NULL, 10);
            count = 1;
        } else if (strcmp(arguments[i], "--first") == 0) {
            first = strtoull(arguments[i + 1], NULL, 10);
        } else if (strcmp(arguments[i], "--count") == 0) {
            count = strtoull(arguments[i + 1], NULL, 10);
        } else if (strcmp(arguments[i], "--minutes") == 0) {
            minutes = strtod(arguments[i + 1], NULL);
        }
    }
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    world_set_up();
    while (minutes > 0 ? (double)(time(NULL) - begin) < minutes * 60 : done < count) {
        run(first + done);
        done++;
    }
    if (count > 1) {
        check_happened(done);
    }
    world_tear_down();
    return 0;
}
