/* Two workers without listeners in this process, a manager that is a socket, and time as it is
 * given. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "cli/serve_notify.h"
#include "conn/reactor.h"
#include "server/server.h"

static const uint64_t SECOND_NS = 1000ull * 1000 * 1000;

static struct server *server;
static struct serve_notify notify;
static int manager;
static char directory[] = "/tmp/tlsdyno-notify-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void set_up(void)
{
    const struct server_config config = {.threads = 2, .no_pin = true};
    struct error error = {0};

    cr_assert_not_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/manager", directory);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&address, sizeof address), 0);
    server = server_start(&config, &error);
    cr_assert_not_null(server, "%s", error.text);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    setenv("WATCHDOG_USEC", "10000000", 1);
    unsetenv("WATCHDOG_PID");
}

static void tear_down(void)
{
    serve_notify_close(&notify);
    server_stop(server);
    server_free(server);
    close(manager);
    unlink(address.sun_path);
    rmdir(directory);
}

TestSuite(serve_notify, .init = set_up, .fini = tear_down, .timeout = 60);

/* The next message, "" when there is none. */
static const char *heard(void)
{
    static char message[512];
    ssize_t bytes = recv(manager, message, sizeof message - 1, MSG_DONTWAIT);

    message[bytes > 0 ? bytes : 0] = '\0';
    return message;
}

static void wait_for_answers(void)
{
    while (server_silent_worker(server) >= 0) {
        usleep(1000);
    }
}

static void advance(uint64_t seconds)
{
    serve_notify_advance(&notify, server, (100 + seconds) * SECOND_NS);
}

Test(serve_notify, a_sign_of_life_is_given_twice_in_the_watchdogs_time)
{
    serve_notify_open(&notify);
    advance(0);
    cr_assert_str_eq(heard(), "STATUS=0 connections open, 0 accepted in all");
    wait_for_answers();
    advance(1);
    cr_assert_str_eq(heard(), "WATCHDOG=1");
    advance(4);
    wait_for_answers();
    advance(4);
    cr_assert_str_eq(heard(), "", "it is not due");
    advance(5);
    wait_for_answers();
    advance(5);
    cr_assert_str_eq(heard(), "WATCHDOG=1");
}

/* A letter that is not done before it is told. */
struct long_letter {
    struct letter letter;
    sem_t begun, may_end;
};

static void open_long(struct letter *letter)
{
    struct long_letter *self = (struct long_letter *)letter;

    sem_post(&self->begun);
    sem_wait(&self->may_end);
}

Test(serve_notify, none_is_given_while_one_worker_hangs)
{
    struct long_letter hang = {.letter.open = open_long};

    sem_init(&hang.begun, 0, 0);
    sem_init(&hang.may_end, 0, 0);
    serve_notify_open(&notify);
    mailbox_post(&server_reactor(server, 1)->mailbox, &hang.letter);
    sem_wait(&hang.begun);
    advance(0);
    while (server_silent_worker(server) != 1) { /* until the other has answered */
        usleep(1000);
    }
    for (uint64_t i = 1; i < 100; i++) {
        advance(i);
    }
    cr_assert_eq(strncmp(heard(), "STATUS=", 7), 0);
    cr_assert_str_eq(heard(), "");

    sem_post(&hang.may_end);
    wait_for_answers();
    advance(101);
    cr_assert_str_eq(heard(), "WATCHDOG=1");
}

Test(serve_notify, workers_that_have_ended_owe_no_answer)
{
    serve_notify_open(&notify);
    server_stop(server);
    while (!server_has_ended(server)) {
        usleep(1000);
    }
    advance(0);
    cr_assert_eq(strncmp(heard(), "STATUS=", 7), 0);
    advance(1);
    cr_assert_str_eq(heard(), "WATCHDOG=1");
}

Test(serve_notify, who_waits_wakes_for_the_question_and_the_answer)
{
    uint64_t now_ns = 100 * SECOND_NS;

    serve_notify_open(&notify);
    advance(0);
    cr_assert_lt(serve_notify_wait_ns(&notify, SECOND_NS, now_ns), SECOND_NS);
    cr_assert_gt(serve_notify_wait_ns(&notify, SECOND_NS, now_ns + 100 * SECOND_NS), 0);
    wait_for_answers();
    advance(1);
    cr_assert_eq(serve_notify_wait_ns(&notify, 60 * SECOND_NS, now_ns + SECOND_NS), 4 * SECOND_NS);
    cr_assert_eq(serve_notify_wait_ns(&notify, SECOND_NS, now_ns + SECOND_NS), SECOND_NS);
}

Test(serve_notify, the_watchdog_of_another_process_is_not_ours)
{
    setenv("WATCHDOG_PID", "1", 1);
    serve_notify_open(&notify);
    cr_assert_eq(notify.watchdog_ns, 0);
    cr_assert_eq(serve_notify_wait_ns(&notify, SECOND_NS, 100 * SECOND_NS), SECOND_NS);
    serve_notify_close(&notify);
    unsetenv("WATCHDOG_PID");
    unsetenv("WATCHDOG_USEC");
    serve_notify_open(&notify);
    cr_assert_eq(notify.watchdog_ns, 0);
}

Test(serve_notify, a_reload_and_the_end_are_told_with_their_times)
{
    serve_notify_open(&notify);
    serve_notify_ready(&notify);
    cr_assert_str_eq(heard(), "READY=1");
    serve_notify_reloading(&notify);
    cr_assert_eq(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    serve_notify_stopping(&notify, 10 * SECOND_NS);
    cr_assert_str_eq(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=15000000");
}

Test(serve_notify, names_that_cannot_be_are_left_alone)
{
    char longest[200];

    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < 5; i++) {
        const char *const names[] = {"", "@", "relative", longest, "/nonexistent/manager"};

        setenv("NOTIFY_SOCKET", names[i], 1);
        serve_notify_open(&notify);
        cr_assert_eq(notify.descriptor, -1, "%s", names[i]);
        serve_notify_ready(&notify);
        advance(0);
    }
    unsetenv("NOTIFY_SOCKET");
    serve_notify_open(&notify);
    cr_assert_eq(notify.descriptor, -1);
}

Test(serve_notify, a_manager_that_does_not_read_stops_nobody)
{
    serve_notify_open(&notify);
    for (uint64_t i = 0; i < 12; i++) { /* net.unix.max_dgram_qlen is 10 */
        serve_notify_ready(&notify);
    }
    cr_assert_str_eq(heard(), "READY=1");
}
