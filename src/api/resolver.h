/* Looks host names up on a thread of its own, since getaddrinfo(3) blocks. One name at a time, in
 * order. */
#pragma once

#include <stdbool.h>

struct error;
struct request;
struct resolver; /* opaque; any thread */

enum { RESOLVER_REQUESTS_MAX = 4096 };

struct resolver *resolver_start(struct error *error);
/* Waits for the name that is being looked up; those that wait fail. Accepts NULL. */
void resolver_stop(struct resolver *resolver);
/* Fills in the request's address or error and sends it to its core. False when too many wait. */
bool resolver_submit(struct resolver *resolver, struct request *request);
