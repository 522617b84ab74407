#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage.h"

TestSuite(socket, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

Test(socket, a_client_is_heard_and_knows_whom_it_talks_to)
{
    struct seen seen;

    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){0});
    cr_assert_str_eq(seen.heard, "hello");
    cr_assert_str_eq(seen.reason, "");
    cr_assert(seen.is_authorized);
    cr_assert_str_eq(seen.facts.version, "TLSv1.3");
    cr_assert_str_eq(seen.facts.server_name, "localhost");
    cr_assert_str_eq(seen.peer.names, "DNS:localhost");
    cr_assert_eq(seen.bytes.plain_in, 5);
    cr_assert_eq(seen.bytes.plain_out, 5);
    cr_assert_gt(seen.bytes.wire_in, 500, "the server's certificate is in it");
}

Test(socket, a_server_of_another_name_is_refused)
{
    struct seen seen;

    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){.verify_host = "other.example"});
    cr_assert_not(seen.is_secure);
    cr_assert_str_eq(seen.kind, "certificate");
    cr_assert_str_eq(seen.phase, "handshake");
}

static bool accept_identity(struct dyno_socket *socket, const char *host)
{
    (void)socket;
    return strcmp(host, "other.example") == 0;
}

Test(socket, the_program_may_judge_the_name_itself)
{
    struct dyno_events events = hello_events;
    struct seen seen;

    events.on_identity = accept_identity;
    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){.verify_host = "other.example", .events = &events});
    cr_assert_str_eq(seen.heard, "hello");
    seen = stage_meet(&(struct dyno_connect){.events = &events});
    cr_assert_str_eq(seen.phase, "identity");
    cr_assert_not(seen.is_secure);
}

Test(socket, nobody_at_the_address_is_said)
{
    struct seen seen;

    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){.address = "127.0.0.1:1"});
    cr_assert_str_eq(seen.reason, "Connection refused");
    cr_assert_str_eq(seen.phase, "connect");
    seen = stage_meet(&(struct dyno_connect){.address = "no-such-host.invalid:1"});
    cr_assert_str_eq(seen.phase, "resolve");
    cr_assert_not_null(strstr(seen.reason, "no-such-host.invalid"));
}

Test(socket, what_is_no_address_is_refused_at_once)
{
    struct dyno_connect options = {.address = "localhost:70000", .events = &hello_events};
    struct dyno_error error = {0};

    stage_open(NULL);
    cr_assert_eq(dyno_connect(stage.cores, &options, &error), -1);
    cr_assert_not_null(strstr(error.text, "70000"));
    options = (struct dyno_connect){.address = stage.target, .context = stage.server_context};
    cr_assert_eq(dyno_connect(stage.cores, &options, &error), -1);
    cr_assert_str_eq(error.text, "the context is a server's");
    cr_assert_eq(dyno_wrap(stage.cores, -1, &(struct dyno_connect){0}, &error), -1);
    cr_assert_str_eq(error.text, "descriptor -1 is no stream socket");
}

Test(socket, a_saved_session_is_resumed_and_another_servers_is_not)
{
    struct seen seen;
    struct seen again;

    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){0});
    cr_assert_gt(seen.session_bytes, 0);
    again = stage_meet(
        &(struct dyno_connect){.session = seen.session, .session_bytes = seen.session_bytes});
    cr_assert(again.facts.session_reused);
    seen.session[0] ^= 1;
    again = stage_meet(
        &(struct dyno_connect){.session = seen.session, .session_bytes = seen.session_bytes});
    cr_assert_not(again.facts.session_reused, "malformed");
    cr_assert_str_eq(again.heard, "hello");
}

Test(socket, early_data_comes_back_and_is_not_lost_when_rejected)
{
    struct dyno_connect options = {.early_data = "early ", .early_data_bytes = 6};
    struct seen seen;

    dyno_config_set_early_data(stage.server_config, 16384);
    stage_open(NULL);
    seen = stage_meet(&options);
    cr_assert_not(seen.facts.early_data_accepted, "no session yet");
    cr_assert_str_eq(seen.heard, "early hello");
    options.session = seen.session;
    options.session_bytes = seen.session_bytes;
    seen = stage_meet(&options);
    cr_assert(seen.facts.early_data_accepted);
    cr_assert_str_eq(seen.heard, "early hello");
}

/* ---- wrapped sockets ---- */

Test(socket, open_sockets_are_wrapped_in_both_roles)
{
    struct dyno_connect client = {.verify_host = "localhost", .events = &hello_events};
    struct dyno_connect server = {.events = &echo_events};
    struct dyno_error error = {0};
    struct seen seen = {0};
    int ends[2];

    stage_open(NULL);
    sem_init(&seen.done, 0, 0);
    client.context = stage.client_context;
    client.user = &seen;
    server.context = stage.server_context;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(dyno_wrap(stage.cores, ends[0], &client, &error), 0, "%s", error.text);
    cr_assert_eq(dyno_wrap(stage.server, ends[1], &server, &error), 0, "%s", error.text);
    stage_wait(&seen.done);
    cr_assert_str_eq(seen.heard, "hello");
    cr_assert_str_eq(seen.facts.server_name, "");
}

Test(socket, a_unix_path_is_a_way_to_a_server_too)
{
    struct dyno_server *server;
    struct dyno_address address;
    struct dyno_error error = {0};
    char target[STAGE_TEXT_BYTES];
    struct seen seen;

    stage_open(NULL);
    server = dyno_server_new(stage.server_context, &echo_events, NULL);
    snprintf(target, sizeof target, "unix:/tmp/dyno-api-%d.sock", (int)getpid());
    dyno_server_listen(server, target);
    cr_assert_eq(dyno_server_start(server, &error), 0, "%s", error.text);
    cr_assert(dyno_server_address(server, 0, &address));
    cr_assert_str_eq(address.text, target);
    cr_assert_str_eq(address.family, "unix");
    seen = stage_meet(&(struct dyno_connect){.address = target, .verify_host = "localhost"});
    cr_assert_str_eq(seen.heard, "hello");
    dyno_server_free(server);
}

/* ---- back-pressure ---- */

enum { FLOOD_BYTES = 4 * 1000 * 1000 };

static struct {
    size_t sent, received;
    bool was_paused;
    sem_t paused, done;
    struct dyno_ref ref;
} flood;

static void flood_send(struct dyno_socket *socket)
{
    static const char zeros[50000];
    size_t taken;

    do {
        size_t count = FLOOD_BYTES - flood.sent;

        count = count < sizeof zeros ? count : sizeof zeros;
        taken = dyno_socket_write(socket, zeros, count);
        flood.sent += taken;
    } while (taken > 0 && flood.sent < FLOOD_BYTES);
    if (flood.sent == FLOOD_BYTES) {
        dyno_socket_end(socket);
    }
}

/* Takes half a record, once, and then waits to be told. */
static size_t flood_take(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)bytes;
    if (!flood.was_paused) {
        flood.was_paused = true;
        flood.received += count / 2;
        flood.ref = dyno_socket_ref(socket);
        sem_post(&flood.paused);
        return count / 2;
    }
    flood.received += count;
    return count;
}

static void flood_closed(struct dyno_socket *socket, const char *reason)
{
    (void)socket;
    cr_assert_null(reason);
    sem_post(&flood.done);
}

static void flood_resume(struct dyno_socket *socket, void *unused)
{
    (void)unused;
    cr_assert_not_null(socket);
    dyno_socket_resume(socket);
}

Test(socket, a_reader_that_stops_stops_the_writer_and_nothing_is_lost)
{
    const struct dyno_events reader = {.on_data = flood_take, .on_closed = flood_closed};
    struct dyno_events writer = hello_events;

    sem_init(&flood.paused, 0, 0);
    sem_init(&flood.done, 0, 0);
    stage_open(&reader);
    writer.on_secure = flood_send;
    writer.on_drain = flood_send;
    {
        struct seen seen = {0};
        struct dyno_connect options = {.address = stage.target,
                                       .context = stage.client_context,
                                       .events = &writer,
                                       .user = &seen};

        sem_init(&seen.done, 0, 0);
        cr_assert_eq(dyno_connect(stage.cores, &options, NULL), 0);
        stage_wait(&flood.paused);
        cr_assert_lt(flood.received, 16384);
        cr_assert_eq(dyno_post(flood.ref, flood_resume, NULL), 0);
        stage_wait(&flood.done);
        stage_wait(&seen.done);
        cr_assert_eq(seen.bytes.plain_out, FLOOD_BYTES);
    }
    cr_assert_eq(flood.received, FLOOD_BYTES);
}

/* ---- at run time ---- */

static sem_t heard_of;
static bool was_null;

static void hear(struct dyno_socket *socket, void *unused)
{
    (void)unused;
    was_null = socket == NULL;
    sem_post(&heard_of);
}

Test(socket, a_post_to_a_socket_that_has_gone_says_so)
{
    sem_init(&heard_of, 0, 0);
    stage_open(NULL);
    stage_meet(&(struct dyno_connect){0});
    cr_assert_eq(dyno_post((struct dyno_ref){.server = stage.cores, .generation = 77}, hear, NULL),
                 0);
    stage_wait(&heard_of);
    cr_assert(was_null);
}

static void tune(struct dyno_socket *socket)
{
    uint8_t keys[2][16];
    uint8_t finished[64];
    struct dyno_tls *tls = dyno_socket_tls(socket);
    struct dyno_address local;
    struct dyno_address peer;

    cr_assert(dyno_socket_encrypted(socket));
    cr_assert(dyno_socket_set_max_send_fragment(socket, 512));
    cr_assert_not(dyno_socket_set_max_send_fragment(socket, 511));
    cr_assert_not(dyno_socket_set_max_send_fragment(socket, 16385));
    cr_assert(dyno_tls_export(tls, "one", NULL, 0, keys[0], sizeof keys[0]));
    cr_assert(dyno_tls_export(tls, "another", NULL, 0, keys[1], sizeof keys[1]));
    cr_assert_arr_neq(keys[0], keys[1], sizeof keys[0]);
    cr_assert_gt(dyno_tls_finished(tls, false, finished, sizeof finished), 0);
    dyno_socket_local_address(socket, &local);
    dyno_socket_peer_address(socket, &peer);
    cr_assert_str_eq(peer.text, stage.address.text);
    cr_assert_str_eq(local.family, "IPv4");
    hello_events.on_secure(socket);
}

Test(socket, fragments_keys_and_addresses_are_there_at_run_time)
{
    struct dyno_events events = hello_events;
    struct seen seen;

    events.on_secure = tune;
    stage_open(NULL);
    seen = stage_meet(&(struct dyno_connect){.events = &events});
    cr_assert_str_eq(seen.heard, "hello");
}
