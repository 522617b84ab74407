#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

TestSuite(limits, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

/* What the server's side of a connection has come to. */
static char heard[STAGE_TEXT_BYTES];
static sem_t told;

static void on_failed(void *user, const struct dyno_failure *failure)
{
    (void)user;
    snprintf(heard, sizeof heard, "%s", failure->kind);
    sem_post(&told);
}

static void on_closed(struct dyno_socket *socket, const char *reason)
{
    (void)socket;
    snprintf(heard, sizeof heard, "%s", reason ? reason : "in order");
    sem_post(&told);
}

static int connect_plainly(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(stage.address.port)};
    int link = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    cr_assert_eq(connect(link, (struct sockaddr *)&address, sizeof address), 0);
    return link;
}

Test(limits, who_says_nothing_is_dropped_after_the_handshake_timeout)
{
    const struct dyno_events events = {.on_data = dyno_socket_write, .on_failed = on_failed};
    int link;
    char byte;

    sem_init(&told, 0, 0);
    stage.settings[DYNO_HANDSHAKE_TIMEOUT_MS] = 1500; /* the last one must keep it */
    stage_open(&events);
    link = connect_plainly();
    stage_wait(&told);
    cr_assert_str_eq(heard, "timeout_handshake");
    cr_assert_leq(read(link, &byte, 1), 0);
    close(link);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
}

static size_t ignore(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    (void)bytes;
    return count;
}

static size_t leave(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    (void)bytes;
    (void)count;
    return 0;
}

Test(limits, who_falls_silent_is_dropped_after_the_idle_timeout)
{
    const struct dyno_events events = {.on_data = ignore, .on_closed = on_closed};

    sem_init(&told, 0, 0);
    stage.settings[DYNO_IDLE_TIMEOUT_MS] = 100;
    stage_open(&events);
    stage_meet(&(struct dyno_connect){0});
    stage_wait(&told);
    cr_assert_str_eq(heard, "silent for too long");
}

static void pour(struct dyno_socket *socket)
{
    static const char zeros[65536];

    while (dyno_socket_write(socket, zeros, sizeof zeros) == sizeof zeros) {
    }
}

Test(limits, who_takes_nothing_is_dropped_after_the_write_timeout)
{
    const struct dyno_events events = {.on_secure = pour, .on_drain = pour, .on_closed = on_closed};
    struct dyno_events reader = {.on_data = leave};
    struct dyno_connect options = {.events = &reader};

    sem_init(&told, 0, 0);
    stage.settings[DYNO_WRITE_TIMEOUT_MS] = 100;
    stage_open(&events);
    options.address = stage.target;
    options.context = stage.client_context;
    cr_assert_eq(dyno_connect(stage.cores, &options, NULL), 0);
    stage_wait(&told);
    cr_assert_str_eq(heard, "the peer takes no data");
}

static void find_refused(void *user, const char *name, uint64_t value)
{
    if (strncmp(name, "connections_refused.", strlen("connections_refused.")) == 0) {
        *(uint64_t *)user += value; /* by any limit: the test has set but one */
    }
}

/* A connection that does nothing takes the only place that the setting leaves. */
static void check_refusal(enum dyno_setting setting)
{
    uint64_t refused = 0;
    int link;

    stage.settings[setting] = 1;
    stage.settings[DYNO_THREADS] = 1;
    stage_open(NULL);
    link = connect_plainly();
    while (dyno_server_connections(stage.server, -1) == 0) {
        usleep(1000);
    }
    cr_assert_neq(stage_meet(&(struct dyno_connect){0}).reason[0], '\0');
    dyno_server_counters(stage.server, find_refused, &refused);
    cr_assert_eq(refused, 1);
    close(link);
    while (dyno_server_connections(stage.server, -1) > 0) {
        usleep(1000);
    }
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
}

Test(limits, one_connection_too_many_is_refused_and_counted)
{
    check_refusal(DYNO_CONNECTIONS_MAX);
}

Test(limits, one_handshake_too_many_is_refused_and_counted)
{
    check_refusal(DYNO_HANDSHAKES_MAX);
}

Test(limits, one_connection_of_an_address_too_many_is_refused_and_counted)
{
    check_refusal(DYNO_ADDRESS_CONNECTIONS_MAX);
}

/* ---- renegotiation ---- */

static unsigned renegotiations;
static struct dyno_error refusal;

static void renegotiate(struct dyno_socket *socket)
{
    if (dyno_socket_renegotiate(socket, false, &refusal) == 0) {
        renegotiations++;
    }
}

static struct seen meet_renegotiating(void)
{
    struct dyno_events events = hello_events;

    events.on_secure = renegotiate;
    events.on_renegotiated = renegotiate;
    dyno_config_set_versions(stage.client_config, "1.2", "1.2");
    stage_open(NULL);
    return stage_meet(&(struct dyno_connect){.events = &events});
}

Test(limits, three_renegotiations_of_a_client_are_allowed_by_default)
{
    struct seen seen = meet_renegotiating();

    cr_assert_eq(renegotiations, 4, "the fourth one ends it");
    cr_assert_neq(seen.reason[0], '\0');
}

Test(limits, the_number_of_renegotiations_can_be_set)
{
    dyno_config_set_renegotiation(stage.server_config, 5, 600);
    meet_renegotiating();
    cr_assert_eq(renegotiations, 6);
}

Test(limits, renegotiations_can_be_refused)
{
    dyno_config_refuse_renegotiation(stage.server_config);
    meet_renegotiating();
    cr_assert_eq(renegotiations, 1);
}
