/* Sockets of one's own: wrapped in either role, and half closed. */
#include "loopback.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static enum conn_end asker_end;
static enum conn_end answerer_end;
static char answer[64];

/* Asks a question, says that it will say no more, and takes the answer. */
static void ask(struct conn *conn)
{
    conn_write(conn, "how much?", 9);
    conn_end(conn);
    conn_write(conn, "not sent", 8);
}

static size_t take_answer(struct conn *conn, const uint8_t *bytes, size_t count)
{
    (void)conn;
    cr_assert_lt(strlen(answer) + count, sizeof answer);
    strncat(answer, (const char *)bytes, count);
    return count;
}

static void asker_closed(struct conn *conn)
{
    asker_end = conn->end;
    reactor_leave_when_empty(&loopback.reactor);
}

static const struct service asker = {
    .name = "asker", .on_open = ask, .on_data = take_answer, .on_closed = asker_closed};

/* Answers only once the question has ended. */
static void answer_at_end(struct conn *conn)
{
    conn_write(conn, "this much", 9);
    conn_close(conn);
}

static void answerer_closed(struct conn *conn)
{
    cr_expect_eq(conn->plain_bytes_in, 9);
    answerer_end = conn->end;
}

static const struct service answerer = {
    .name = "answerer", .on_end = answer_at_end, .on_closed = answerer_closed};

TestSuite(connect, .init = loopback_set_up, .fini = loopback_tear_down, .timeout = 60);

static void expect_answered(void)
{
    cr_assert_str_eq(answer, "this much");
    cr_assert_eq(asker_end, CONN_END_CLEAN);
    cr_assert_eq(answerer_end, CONN_END_CLEAN);
}

Test(connect, a_half_closed_connection_still_receives)
{
    loopback_start(NULL, NULL);
    loopback_listen(
        &(struct reactor_listen_options){.context = loopback.server_context, .service = &answerer});
    loopback_connect(&asker, loopback.client_context);
    reactor_run(&loopback.reactor);
    expect_answered();
}

Test(connect, plain_tcp_can_be_half_closed_too)
{
    loopback_start(NULL, NULL);
    loopback_listen(&(struct reactor_listen_options){.service = &answerer});
    loopback_connect(&asker, NULL);
    reactor_run(&loopback.reactor);
    expect_answered();
}

Test(connect, open_sockets_are_wrapped_in_both_roles)
{
    int sockets[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    loopback_start(NULL, NULL);
    cr_assert_not_null(reactor_wrap(&loopback.reactor, sockets[0], false,
                                    &(struct reactor_connect_options){
                                        .context = loopback.server_context, .service = &answerer}));
    cr_assert_not_null(reactor_wrap(
        &loopback.reactor, sockets[1], true,
        &(struct reactor_connect_options){.context = loopback.client_context, .service = &asker}));
    reactor_run(&loopback.reactor);
    expect_answered();
}

Test(connect, a_socket_that_cannot_be_wrapped_stays_the_callers)
{
    struct reactor_limit none = {.open_max = 0};

    loopback_start(&(struct reactor_options){.connections_max = 8, .limit = &none}, NULL);
    cr_assert_null(reactor_wrap(&loopback.reactor, 0, true,
                                &(struct reactor_connect_options){.service = &asker}));
    cr_assert_eq(errno, ENOSPC);
}
