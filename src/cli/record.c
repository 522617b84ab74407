#include "cli/record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void record_command_line(char **argv, char out[RECORD_COMMAND_BYTES])
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "-_./:=,+@%";
    size_t used = (size_t)snprintf(out, RECORD_COMMAND_BYTES, "tlsdyno");

    for (; *argv != NULL && used < RECORD_COMMAND_BYTES; argv++) {
        const char *quote = **argv != '\0' && (*argv)[strspn(*argv, harmless)] == '\0' ? "" : "'";

        used += (size_t)snprintf(out + used, RECORD_COMMAND_BYTES - used, " %s%s%s", quote, *argv,
                                 quote);
    }
}

void record_time(char out[RECORD_TIME_BYTES])
{
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc) != NULL) {
        strftime(out, RECORD_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
}
