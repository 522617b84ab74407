#include "load/cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A number at *text, which moves behind it; -1: there is none, or no CPU has it. */
static long parse_number(const char **text)
{
    char *end;
    const long number = strspn(*text, "0123456789") > 0 ? strtol(*text, &end, 10) : -1;

    if (number < 0 || number >= CPU_SETSIZE) {
        return -1;
    }
    *text = end;
    return number;
}

int load_cpus_parse(const char *text, struct load_cpus *out, struct error *error)
{
    const char *at = text;

    out->count = 0;
    for (;;) {
        const long first = parse_number(&at);
        long last = first;

        if (first >= 0 && *at == '-') {
            at++;
            last = parse_number(&at);
        }
        if (first < 0 || last < first || (*at != '\0' && *at != ',')) {
            return error_set(error, "'%s' is no list of CPUs such as 0,2-3", text);
        }
        for (long cpu = first; cpu <= last; cpu++) {
            if (out->count == LOAD_CPUS_MAX) {
                return error_set(error, "more than %d CPUs", LOAD_CPUS_MAX);
            }
            out->items[out->count++] = (uint16_t)cpu;
        }
        if (*at++ == '\0') {
            return 0;
        }
    }
}

int load_cpus_pin(const struct load_cpus *cpus, unsigned thread_index, struct error *error)
{
    cpu_set_t set;
    unsigned cpu;
    int status;

    if (cpus->count == 0) {
        return 0;
    }
    cpu = cpus->items[thread_index % cpus->count];
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    status = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    return status == 0 ? 0
                       : error_set(error, "no thread can run on CPU %u: %s", cpu, strerror(status));
}
