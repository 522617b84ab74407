#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static struct fixture fixture;

static void assert_has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "no '%s' in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    cr_assert_null(strstr(text, part), "'%s' in:\n%s", part, text);
}

/* Characters of the longest line; a UTF-8 continuation byte is none. */
static size_t widest_line(const char *text)
{
    size_t widest = 0;
    size_t width = 0;

    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            widest = width > widest ? width : widest;
            width = 0;
        } else if (((unsigned char)*text & 0xc0) != 0x80) {
            width++;
        }
    }
    return widest;
}

Test(text, handshakes_show_rates_negotiated_and_errors)
{
    fixture_init_handshakes(&fixture);
    char *text = fixture_text(&fixture);

    assert_has(text, "tlsdyno load, mode handshake\n  target      127.0.0.1:4433\n");
    assert_has(text, "50% to resume by ticket");
    assert_has(text, "TLSv1.3, TLS_AES_256_GCM_SHA384, x25519");
    assert_has(text, "full handshake, signed ecdsa_secp256r1_sha256, certificate EC P-256");
    assert_has(text, "resumed by ticket, certificate EC P-256");
    assert_has(text, "50.9%"); /* 56,000 of 110,000 connections */
    assert_has(text, "100,000");
    assert_has(text, "98.0% of them resumed"); /* 49,000 of 50,000 */
    assert_has(text, "Bytes of a handshake            in, mean       min       max");
    assert_has(text, "  by ticket                          241       241       241       676");
    assert_has(text, "handshake  wrong version number");
    assert_has(text, "Closed loop");
    assert_has(text, "9,000 to 10,800/s");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, an_open_loop_shows_both_latencies_and_what_it_missed)
{
    fixture_init_open_loop(&fixture);
    char *text = fixture_text(&fixture);

    assert_has(text, "60,000 a second");
    assert_has(text, "WARNING     RATE MISSED: 50,000 a second of 60,000 asked for, 83.3% of what");
    assert_has(text, "99,943 were due and had not begun");
    assert_has(text, "7 WERE DROPPED: a thread had 1,048,576 waiting already");
    assert_has(text, "whole message, raw                 1,000   1.00 ms");
    assert_has(text, "whole message, corrected           1,000   70.");
    assert_has(text, "start, after it was due");
    assert_has(text, "Open loop");
    assert_lacks(text, "Closed loop");
    cr_expect_leq(widest_line(text), 96);
    free(text);
    fixture_deinit(&fixture);
}

Test(text, an_open_loop_that_kept_its_rate_warns_of_nothing)
{
    fixture_init_open_loop(&fixture);
    fixture.result->due = 504000;
    fixture.result->dropped = 0;
    char *text = fixture_text(&fixture);

    assert_lacks(text, "WARNING");
    assert_has(text, "Verdict: rate kept");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, handshakes_show_nothing_about_messages)
{
    fixture_init_handshakes(&fixture);
    char *text = fixture_text(&fixture);

    assert_lacks(text, "messages");
    assert_lacks(text, "goodput");
    assert_lacks(text, "GiB");
    assert_lacks(text, "first byte");
    assert_lacks(text, "nan");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, messages_show_goodput_and_cost)
{
    fixture_init_messages(&fixture);
    char *text = fixture_text(&fixture);

    assert_has(text, "messages of 1,000 bytes, depth 1");
    assert_has(text, "50.0 MB/s");
    assert_has(text, "2.20% more on the wire");
    assert_has(text, "whole message");
    assert_has(text, "messages a CPU second");
    assert_has(text, "a GiB of plaintext");
    assert_lacks(text, "a handshake ");
    assert_lacks(text, "handshakes a CPU second");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, a_corrupt_answer_is_listed_once)
{
    fixture_init_messages(&fixture);
    fixture.result->messages_corrupt = fixture.result->errors_total = 1;
    fixture.result->error_count = 1;
    fixture.result->errors[0] = (struct load_error){
        .phase = LOAD_ERROR_TRANSFER, .reason = "the answer's bytes are not right", .count = 1};
    char *text = fixture_text(&fixture);

    assert_has(text, "transfer   the answer's bytes are not right\n\nCPU");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, a_rate_that_rounds_to_a_thousand_is_written_as_one)
{
    fixture_init_messages(&fixture);
    fixture.result->messages = 9998;
    char *text = fixture_text(&fixture);

    assert_has(text, "messages                              1,000              9,998");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, without_the_server_says_so)
{
    fixture_init_handshakes(&fixture);
    char *text = fixture_text(&fixture);

    assert_has(text, "its side is not known (--admin was not given)");
    assert_has(text, "Verdict: unknown");
    assert_has(text, "its busiest thread was 80.0% busy");
    assert_lacks(text, "handshakes counted");
    free(text);
    fixture.input.server_error = "http://127.0.0.1:1/stats: connection refused";
    text = fixture_text(&fixture);
    assert_has(text, "http://127.0.0.1:1/stats: connection refused");
    assert_lacks(text, "--admin was not given");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, with_the_server_compares_both_sides)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.98);
    char *text = fixture_text(&fixture);

    assert_has(text, "tlsdyno 0.1.0, 2 workers, OpenSSL 3.0.22");
    assert_has(text, "handshakes counted                          100,000        100,010");
    assert_has(text, "at the server, full");
    assert_lacks(text, "at the server, resumed");
    assert_lacks(text, "different versions");
    assert_has(text, "Verdict: server-bound\n");
    assert_has(text, "98.0%");
    free(text);
    fixture.input.openssl_version = "OpenSSL 3.5.9";
    text = fixture_text(&fixture);
    assert_has(text, "client and server run different versions of OpenSSL");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, a_shared_machine_that_is_full_is_the_verdict)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.90);
    fixture.input.environment.cpu_count = 2;
    char *text = fixture_text(&fixture);

    assert_has(text, "Verdict: neither\n"); /* the server has a machine of its own */
    free(text);
    fixture.input.same_machine = true; /* 1.5 and 1.3 of 2 CPUs cannot be, but must be noticed */
    text = fixture_text(&fixture);
    assert_has(text, "Verdict: machine-bound\n");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, of_nothing_has_no_rates_to_show)
{
    fixture_init_refused(&fixture);
    char *text = fixture_text(&fixture);

    assert_has(text, "NOTHING SUCCEEDED");
    assert_has(text, "1,234  connect    connection refused");
    assert_has(text, "Verdict: failed");
    assert_lacks(text, "Latency");
    assert_lacks(text, "Negotiated");
    assert_lacks(text, "a handshake ");
    assert_lacks(text, "a CPU second");
    assert_lacks(text, "nan");
    assert_lacks(text, "inf");
    free(text);
    memset(fixture.result, 0, sizeof(*fixture.result)); /* not even time has passed */
    text = fixture_text(&fixture);
    assert_has(text, "NOTHING SUCCEEDED");
    assert_lacks(text, "Rates");
    assert_lacks(text, "nan");
    assert_lacks(text, "inf");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, flags_what_weakens_the_figures)
{
    fixture_init_handshakes(&fixture);
    char *text = fixture_text(&fixture);

    assert_lacks(text, "NOTE");
    free(text);
    fixture.plan.tls.insecure = true;
    fixture.result->interrupted = true;
    text = fixture_text(&fixture);
    assert_has(text, "INTERRUPTED");
    assert_has(text, "--insecure: certificates were not verified");
    free(text);
    fixture.plan.plain_tcp = true;
    text = fixture_text(&fixture);
    assert_has(text, "PLAIN TCP");
    assert_lacks(text, "--insecure");
    assert_has(text, "connections a CPU second");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, fits_its_columns_and_ascii_when_asked)
{
    static char command[600];

    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.5);
    for (size_t i = 0; i < sizeof(command) - 1; i++) {
        command[i] = i % 8 == 7 ? ' ' : 'x';
    }
    fixture.input.command_line = command;
    fixture.result->series_count = LOAD_SERIES_MAX;
    for (size_t i = 0; i < LOAD_SERIES_MAX; i++) {
        fixture.result->series[i] = (struct load_interval){.seconds = 1, .handshakes = i};
    }
    char *text = fixture_text(&fixture);

    cr_assert_leq(widest_line(text), 96, "%zu columns:\n%s", widest_line(text), text);
    assert_has(text, "█");
    free(text);
    fixture.input.ascii = true;
    text = fixture_text(&fixture);
    for (const char *byte = text; *byte != '\0'; byte++) {
        cr_assert((unsigned char)*byte < 0x80);
    }
    free(text);
    fixture_deinit(&fixture);
}

Test(text, prints_no_control_characters_of_the_peer)
{
    fixture_init_refused(&fixture);
    strcpy(fixture.result->errors[0].reason, "bad \x1b[2Janswer");
    char *text = fixture_text(&fixture);

    assert_has(text, "bad ?[2Janswer");
    assert_lacks(text, "\x1b");
    free(text);
    fixture_deinit(&fixture);
}

Test(text, sums_up_errors_beyond_the_table)
{
    fixture_init_refused(&fixture);
    fixture.result->errors_total = 2000;
    char *text = fixture_text(&fixture);

    assert_has(text, "766             for other reasons");
    free(text);
    fixture_deinit(&fixture);
}
