/* Reads the counters of a server from its admin endpoint, for both sides' figures in one report. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

struct admin_client; /* opaque; one thread */
struct error;

/* `address` is what --admin of the server prints: "http://127.0.0.1:9090" ("http://" may be left
 * out) or "unix:PATH". Connects to nothing yet. NULL and a sentence on failure. */
struct admin_client *admin_client_new(const char *address, struct error *error);
void admin_client_free(struct admin_client *client); /* accepts NULL */

/* While an answer is waited for, asks ten times a second whether to go on; false gives up. */
void admin_client_while_waiting(struct admin_client *client, bool (*goes_on)(void *user),
                                void *user);

/* The document at /stats, a new reference; NULL and a sentence when there is none. Blocks, a few
 * seconds at most. */
json_t *admin_client_stats(struct admin_client *client, struct error *error);
