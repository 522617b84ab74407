#include "sweep/child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/error.h"

static const uint64_t LONG_NS = 60ull * 1000 * 1000 * 1000;

static struct child shell(const char *script, const atomic_bool *stop)
{
    struct child_arguments arguments = {0};
    struct child child;
    struct error error = {0};

    child_argument(&arguments, "sh");
    child_argument(&arguments, "-c");
    child_argument(&arguments, "%s", script);
    cr_assert_eq(child_start(&child,
                             &(struct child_options){
                                 .arguments = &arguments, .program = "/bin/sh", .stop = stop},
                             &error),
                 0, "%s", error.text);
    return child;
}

Test(child, arguments_are_words_ended_by_null)
{
    struct child_arguments arguments = {0};

    child_argument(&arguments, "load");
    child_argument(&arguments, "%s:%d", "localhost", 4433);
    cr_assert_eq(arguments.count, 2);
    cr_assert_str_eq(arguments.words[0], "load");
    cr_assert_str_eq(arguments.words[1], "localhost:4433");
    cr_assert_null(arguments.words[2]);
}

Test(child, line_is_found_by_its_beginning)
{
    struct child child = shell("echo first; echo listening on 127.0.0.1:1; exec sleep 1000", NULL);
    struct error error = {0};
    const char *rest = child_wait_line(&child, "listening on ", LONG_NS, &error);

    cr_assert_not_null(rest, "%s", error.text);
    cr_assert_eq(strncmp(rest, "127.0.0.1:1\n", 12), 0);
    child_close(&child);
}

Test(child, half_a_line_is_none)
{
    struct child child = shell("printf 'listening on 127'; echo late >&2", NULL);
    struct error error = {0};

    cr_assert_null(child_wait_line(&child, "listening on ", LONG_NS, &error));
    cr_assert_str_eq(error.text, "late");
    child_close(&child);
}

Test(child, end_before_the_line_says_the_last_complaint)
{
    struct child child =
        shell("echo tlsdyno: first >&2; echo tlsdyno: port in use >&2; exit 1", NULL);
    struct error error = {0};

    cr_assert_null(child_wait_line(&child, "listening on ", LONG_NS, &error));
    cr_assert_str_eq(error.text, "port in use");
    child_close(&child);
}

Test(child, all_output_and_the_status_are_kept)
{
    struct child child =
        shell("i=0; while [ $i -lt 3000 ]; do "
              "echo 0123456789012345678901234567890123456789012345678901234567890; "
              "i=$((i+1)); done; exit 3",
              NULL);
    struct error error = {0};

    cr_assert_eq(child_wait(&child, LONG_NS, &error), 3, "%s", error.text);
    cr_assert_eq(child.text.count, 3000 * 62);
    cr_assert_eq(strlen(child.text.bytes), child.text.count);
    child_close(&child);
}

Test(child, killed_child_is_told)
{
    struct child child = shell("kill -9 $$", NULL);
    struct error error = {0};

    cr_assert_eq(child_wait(&child, LONG_NS, &error), -1);
    cr_assert_not_null(strstr(error.text, "signal 9"), "%s", error.text);
    child_close(&child);
}

Test(child, time_that_is_over_ends_waiting)
{
    struct child child = shell("exec sleep 1000", NULL);
    struct error error = {0};

    cr_assert_eq(child_wait(&child, 1, &error), -1);
    cr_assert_not_null(strstr(error.text, "gave up"), "%s", error.text);
    child_close(&child);
}

Test(child, wish_to_stop_ends_waiting)
{
    atomic_bool stop = true;
    struct child child = shell("exec sleep 1000", &stop);
    struct error error = {0};

    cr_assert_eq(child_wait(&child, LONG_NS, &error), -1);
    cr_assert_str_eq(error.text, "interrupted");
    child_close(&child);
}

Test(child, closing_ends_it)
{
    struct child child = shell("exec sleep 1000", NULL);
    pid_t pid = child.pid;

    child_close(&child);
    cr_assert_neq(kill(pid, 0), 0);
    child_close(&child);
}

Test(child, closing_ends_one_that_does_not_want_to)
{
    struct child child = shell("trap '' INT; echo ready; while :; do sleep 0.1; done", NULL);
    struct error error = {0};
    pid_t pid = child.pid;

    cr_assert_not_null(child_wait_line(&child, "ready", LONG_NS, &error), "%s", error.text);
    child_close(&child);
    cr_assert_neq(kill(pid, 0), 0);
}

Test(child, closing_a_zeroed_one_is_harmless)
{
    struct child child = {0};

    child_close(&child);
}

Test(child, program_that_is_not_there_is_told)
{
    struct child_arguments arguments = {0};
    struct child child;
    struct error error = {0};

    child_argument(&arguments, "nothing");
    cr_assert_eq(
        child_start(&child,
                    &(struct child_options){.arguments = &arguments, .program = "/nowhere/nothing"},
                    &error),
        0);
    cr_assert_eq(child_wait(&child, LONG_NS, &error), 127);
    cr_assert_null(child_wait_line(&child, "ready", LONG_NS, &error));
    cr_assert_not_null(strstr(error.text, "/nowhere/nothing"), "%s", error.text);
    child_close(&child);
}

Test(child, cpus_are_as_asked)
{
    struct child_arguments arguments = {0};
    struct child child;
    struct error error = {0};
    cpu_set_t all;
    cpu_set_t one;
    size_t cpu = 0;
    char wanted[32];

    cr_assert_eq(sched_getaffinity(0, sizeof(all), &all), 0);
    while (!CPU_ISSET(cpu, &all)) {
        cpu++;
    }
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    snprintf(wanted, sizeof(wanted), "\t%zu\n", cpu);
    child_argument(&arguments, "grep");
    child_argument(&arguments, "Cpus_allowed_list");
    child_argument(&arguments, "/proc/self/status");
    cr_assert_eq(child_start(&child,
                             &(struct child_options){
                                 .arguments = &arguments, .program = "/bin/grep", .cpus = &one},
                             &error),
                 0);
    cr_assert_eq(child_wait(&child, LONG_NS, &error), 0, "%s", error.text);
    cr_assert_not_null(strstr(child.text.bytes, wanted), "%s", child.text.bytes);
    child_close(&child);
}
