/* A server and its clients in one process, by the public header alone, and a place to wait for what
 * they tell. Each test has a process of its own. */
#pragma once

#include <semaphore.h>

#include <criterion/criterion.h>

#include "tls/certificate.h"
#include "tlsdyno.h"

enum { STAGE_TEXT_BYTES = 256 };

extern struct stage {
    struct certificate *ca, *server_certificate, *other_certificate, *client_certificate;
    struct dyno_config *server_config, *client_config;
    struct dyno_context *server_context, *client_context;
    struct dyno_pair *pairs[2];            /* client, server: through memory */
    struct dyno_server *server;            /* echoes unless the events say otherwise */
    struct dyno_server *cores;             /* of the clients */
    uint64_t settings[DYNO_SETTING_COUNT]; /* of the server, where not 0 */
    struct dyno_address address;
    char target[STAGE_TEXT_BYTES]; /* the server as localhost:PORT */
} stage;

/* What one connection's client has seen; `done` is posted when it is over. */
struct seen {
    sem_t done;
    bool is_secure, is_authorized;
    struct dyno_facts facts;
    struct dyno_certificate peer;
    char heard[STAGE_TEXT_BYTES];
    size_t heard_bytes;
    char reason[STAGE_TEXT_BYTES], phase[STAGE_TEXT_BYTES], kind[STAGE_TEXT_BYTES];
    uint8_t session[4096];
    size_t session_bytes;
    struct dyno_bytes bytes;
};

/* Certificates and configurations that are right, for the tests to change. */
void stage_set_up(void);
/* Contexts, server and cores; `events` NULL: an echo. */
void stage_open(const struct dyno_events *events);
void stage_tear_down(void);

/* Opens the stage, and two pairs of its contexts; they meet in stage_pairs_settle(), which carries
 * `piece` bytes at a time (4096 at most) until nothing moves. */
void stage_pairs_open(enum dyno_clients clients);
void stage_pairs_settle(size_t piece);
void stage_pairs_close(void);

extern const struct dyno_events echo_events;
/* Says "hello", and ends when that has come back. */
extern const struct dyno_events hello_events;

/* Connects as the options say, with what they lack filled in, and waits until it is over. */
struct seen stage_meet(const struct dyno_connect *options);
void stage_wait(sem_t *semaphore); /* fails the test when it takes too long */
