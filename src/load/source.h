/* Which addresses connections come from. One address has some 28,000 ports to one target, so many
 * connections need several: 127.0.0.2 and up by themselves on loopback, elsewhere those that the
 * person names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/socket.h"

struct error;
struct load_plan;

enum { LOAD_SOURCES_MAX = 64 };

/* "10.0.0.2,10.0.0.3": with any port. Returns 0, or -1 and a sentence. */
int source_parse(const char *text, struct socket_address out[LOAD_SOURCES_MAX], uint32_t *out_count,
                 struct error *error);

/* Ports that the kernel gives away by itself: net.ipv4.ip_local_port_range. */
uint32_t source_ports(void);

/* How many addresses of 127.0.0.0/8 so many connections need; 0: the kernel's choice will do, or
 * the target is not there. */
uint32_t source_loopback_count(const struct socket_address *target, uint64_t connections,
                               uint32_t ports);

/* Where the client with this index among all comes from, always the same; false: the kernel
 * chooses. */
bool source_of(const struct load_plan *plan, uint32_t index, struct socket_address *out);
