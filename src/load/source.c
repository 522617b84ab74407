#include "load/source.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "load/plan.h"

enum {
    PORTS_DEFAULT = 60999 - 32768 + 1,
    FIRST_LOOPBACK = 0x7f000002, /* 127.0.0.1 is everybody else's */
    LOOPBACK_MAX = 253,
};

static bool parse_one(const char *text, struct socket_address *out)
{
    *out = (struct socket_address){0};
    if (inet_pton(AF_INET, text, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
        out->bytes = sizeof out->in;
        return true;
    }
    if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1) {
        out->in6.sin6_family = AF_INET6;
        out->bytes = sizeof out->in6;
        return true;
    }
    return false;
}

int source_parse(const char *text, struct socket_address out[LOAD_SOURCES_MAX], uint32_t *out_count,
                 struct error *error)
{
    char one[INET6_ADDRSTRLEN];

    *out_count = 0;
    for (;;) {
        const size_t bytes = strcspn(text, ",");

        if (*out_count == LOAD_SOURCES_MAX) {
            return error_set(error, "more than %d addresses", LOAD_SOURCES_MAX);
        }
        snprintf(one, sizeof one, "%.*s", (int)bytes, text);
        if (bytes >= sizeof one || !parse_one(one, &out[*out_count])) {
            return error_set(error,
                             "'%.*s' is no IP address; name some of this machine, such as "
                             "10.0.0.2,10.0.0.3",
                             (int)bytes, text);
        }
        (*out_count)++;
        if (text[bytes] == '\0') {
            return 0;
        }
        text += bytes + 1;
    }
}

uint32_t source_ports(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    unsigned low = 0;
    unsigned high = 0;
    int read = file != NULL ? fscanf(file, "%u %u", &low, &high) : 0;

    if (file != NULL) {
        fclose(file);
    }
    return read == 2 && high >= low ? high - low + 1 : PORTS_DEFAULT;
}

uint32_t source_loopback_count(const struct socket_address *target, uint64_t connections,
                               uint32_t ports)
{
    /* Other programs need some, and the kernel takes long to find the last ones. */
    const uint64_t usable = (uint64_t)ports * 3 / 4 + 1;
    uint64_t count;

    if (target->any.sa_family != AF_INET ||
        ntohl(target->in.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET || connections <= usable) {
        return 0;
    }
    count = (connections + usable - 1) / usable;
    return count < LOOPBACK_MAX ? (uint32_t)count : LOOPBACK_MAX;
}

bool source_of(const struct load_plan *plan, uint32_t index, struct socket_address *out)
{
    if (plan->source_count > 0) {
        *out = plan->sources[index % plan->source_count];
        return true;
    }
    if (plan->loopback_sources > 0) {
        *out = (struct socket_address){.bytes = sizeof out->in};
        out->in.sin_family = AF_INET;
        out->in.sin_addr.s_addr = htonl(FIRST_LOOPBACK + index % plan->loopback_sources);
        return true;
    }
    return false;
}
