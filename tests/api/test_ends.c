#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "stage.h"

TestSuite(ends, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

static sem_t told;
static char heard[STAGE_TEXT_BYTES];

static void on_closed(struct dyno_socket *socket, const char *reason)
{
    (void)socket;
    snprintf(heard, sizeof heard, "%s", reason ? reason : "in order");
    sem_post(&told);
}

/* ---- half close ---- */

static void say_and_end(struct dyno_socket *socket)
{
    dyno_socket_write(socket, "no more", 7);
    dyno_socket_end(socket);
    cr_assert_eq(dyno_socket_write(socket, "late", 4), 0);
}

static size_t swallow(struct dyno_socket *socket, const void *bytes, size_t count)
{
    (void)socket;
    (void)bytes;
    return count;
}

static void answer_late(struct dyno_socket *socket)
{
    cr_assert_eq(dyno_socket_write(socket, "after your end", 14), 14);
    dyno_socket_end(socket);
}

Test(ends, who_has_ended_still_hears_the_other)
{
    const struct dyno_events server = {
        .on_data = swallow, .on_end = answer_late, .on_closed = on_closed};
    struct dyno_events client = hello_events;
    struct seen seen;

    sem_init(&told, 0, 0);
    client.on_secure = say_and_end;
    stage_open(&server);
    seen = stage_meet(&(struct dyno_connect){.events = &client});
    cr_assert_str_eq(seen.heard, "after your end");
    cr_assert_str_eq(seen.reason, "");
    stage_wait(&told);
    cr_assert_str_eq(heard, "in order");
}

/* ---- close and destroy ---- */

static void say_and_close(struct dyno_socket *socket)
{
    dyno_socket_write(socket, "hello", 5);
    dyno_socket_close(socket);
}

static void say_and_destroy(struct dyno_socket *socket)
{
    dyno_socket_write(socket, "hello", 5);
    dyno_socket_destroy(socket);
}

Test(ends, close_sends_what_was_written)
{
    const struct dyno_events server = {.on_secure = say_and_close};
    struct dyno_events client = hello_events;
    struct seen seen;

    client.on_secure = NULL;
    stage_open(&server);
    seen = stage_meet(&(struct dyno_connect){.events = &client});
    cr_assert_str_eq(seen.heard, "hello");
    cr_assert_str_eq(seen.reason, "");
}

Test(ends, destroy_drops_it_and_the_peer_sees_that_no_order_was_kept)
{
    const struct dyno_events server = {.on_secure = say_and_destroy};
    struct dyno_events client = hello_events;
    struct seen seen;

    client.on_secure = NULL;
    stage_open(&server);
    seen = stage_meet(&(struct dyno_connect){.events = &client});
    cr_assert_str_eq(seen.heard, "");
    cr_assert_neq(seen.reason[0], '\0');
}

/* ---- the server closes ---- */

static void farewell(struct dyno_socket *socket)
{
    dyno_socket_write(socket, "farewell", 8);
    dyno_socket_close(socket);
}

static void close_server(struct dyno_socket *socket)
{
    (void)socket;
    dyno_server_close(stage.server, NULL, NULL);
}

static struct seen meet_closing(const struct dyno_events *server)
{
    struct dyno_events client = hello_events;

    sem_init(&told, 0, 0);
    client.on_secure = close_server;
    stage_open(server);
    return stage_meet(&(struct dyno_connect){.events = &client});
}

Test(ends, a_connection_may_finish_when_the_server_closes)
{
    const struct dyno_events server = {.on_close_wanted = farewell, .on_closed = on_closed};

    stage.settings[DYNO_CLOSE_TIMEOUT_MS] = 20000;
    cr_assert_str_eq(meet_closing(&server).heard, "farewell");
    stage_wait(&told);
    cr_assert_str_eq(heard, "in order");
}

Test(ends, one_that_does_not_is_ended_at_the_deadline)
{
    const struct dyno_events server = {.on_closed = on_closed};

    cr_assert_str_eq(meet_closing(&server).heard, "");
    stage_wait(&told);
    cr_assert_str_neq(heard, "in order");
}

/* ---- without TLS, and listeners ---- */

static bool is_encrypted;

static void note_encryption(struct dyno_socket *socket)
{
    is_encrypted = dyno_socket_encrypted(socket);
    dyno_socket_write(socket, "hello", 5);
}

static struct dyno_server *listen_at(struct dyno_context *context, const char *address,
                                     int descriptor, char target[STAGE_TEXT_BYTES])
{
    struct dyno_server *server = dyno_server_new(context, &echo_events, NULL);
    struct dyno_error error = {0};
    struct dyno_address bound;

    if (address) {
        dyno_server_listen(server, address);
    } else {
        dyno_server_listen_descriptor(server, descriptor);
    }
    cr_assert_eq(dyno_server_start(server, &error), 0, "%s", error.text);
    cr_assert(dyno_server_address(server, 0, &bound));
    cr_assert_not(dyno_server_address(server, 1, &bound));
    dyno_server_address(server, 0, &bound);
    snprintf(target, STAGE_TEXT_BYTES, "%s", bound.text);
    return server;
}

Test(ends, without_a_context_it_is_plain_tcp)
{
    struct dyno_events client = hello_events;
    struct dyno_connect options = {.events = &client};
    struct dyno_server *server;
    struct seen seen = {0};
    char target[STAGE_TEXT_BYTES];

    stage_open(NULL);
    server = listen_at(NULL, "127.0.0.1:0", -1, target);
    client.on_secure = note_encryption;
    is_encrypted = true;
    options.address = target;
    options.user = &seen;
    sem_init(&seen.done, 0, 0);
    cr_assert_eq(dyno_connect(stage.cores, &options, NULL), 0);
    stage_wait(&seen.done);
    cr_assert_str_eq(seen.heard, "hello");
    cr_assert_not(is_encrypted);
    dyno_server_free(server);
}

Test(ends, every_address_is_both_families)
{
    struct dyno_connect options = {.verify_host = "localhost"};
    struct dyno_server *server;
    char target[STAGE_TEXT_BYTES];
    char address[2 * STAGE_TEXT_BYTES];

    stage_open(NULL);
    server = listen_at(stage.server_context, "[::1]:0", -1, target);
    options.address = target;
    cr_assert_str_eq(stage_meet(&options).heard, "hello");
    dyno_server_free(server);
    server = listen_at(stage.server_context, ":0", -1, target);
    for (int i = 0; i < 2; i++) {
        snprintf(address, sizeof address, "%s%s", i ? "[::1]" : "127.0.0.1", strrchr(target, ':'));
        options.address = address;
        cr_assert_str_eq(stage_meet(&options).heard, "hello", "%s", address);
    }
    dyno_server_free(server);
}

Test(ends, a_listener_may_be_inherited)
{
    struct dyno_connect options = {.verify_host = "localhost"};
    struct dyno_server *server;
    char target[STAGE_TEXT_BYTES];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    stage_open(NULL);
    cr_assert_eq(listen(listener, 16), 0);
    server = listen_at(stage.server_context, NULL, listener, target);
    options.address = target;
    cr_assert_str_eq(stage_meet(&options).heard, "hello");
    dyno_server_free(server);
}

/* ---- beside another socket ---- */

static struct seen second;
static uint32_t cores[2];

static void note_second(struct dyno_socket *socket)
{
    cores[1] = dyno_socket_ref(socket).core;
    hello_events.on_secure(socket);
}

static void connect_beside(struct dyno_socket *socket)
{
    struct dyno_events events = hello_events;
    struct dyno_connect options = {.address = stage.target,
                                   .context = stage.client_context,
                                   .events = &events,
                                   .user = &second,
                                   .beside = socket};

    events.on_secure = note_second;
    cores[0] = dyno_socket_ref(socket).core;
    cr_assert_eq(dyno_connect(stage.cores, &options, NULL), 0);
    hello_events.on_secure(socket);
}

Test(ends, a_connection_beside_another_is_on_its_core)
{
    struct dyno_events events = hello_events;

    events.on_secure = connect_beside;
    sem_init(&second.done, 0, 0);
    stage_open(NULL);
    dyno_server_free(stage.cores);
    stage.cores = dyno_server_new(NULL, NULL, NULL);
    dyno_server_set(stage.cores, DYNO_THREADS, 2);
    cr_assert_eq(dyno_server_start(stage.cores, NULL), 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_str_eq(stage_meet(&(struct dyno_connect){.events = &events}).heard, "hello");
        stage_wait(&second.done);
        cr_assert_eq(cores[0], cores[1]);
        cr_assert_str_eq(second.heard, "hello");
        second.heard_bytes = 0;
    }
}
