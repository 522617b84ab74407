#include <stdlib.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/load_options.h"

enum { ARGUMENTS_MAX = 24, VALUE_BYTES = 24 };

struct parsed {
    struct load_options options;
    struct option_files files;
    struct error error;
    enum options_result result;
};

static void release(struct parsed *parsed)
{
    option_files_free(&parsed->files);
    free(parsed);
}

#define PARSE(...) parse((char *[ARGUMENTS_MAX]){"load", __VA_ARGS__})

static struct parsed *parse(char **argv)
{
    struct parsed *parsed = calloc(1, sizeof(*parsed));
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    parsed->result = options_parse(&load_command.table, argc, argv, &parsed->options,
                                   &parsed->files, &parsed->error);
    return parsed;
}

static struct parsed *aim(struct parsed *parsed)
{
    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(load_options_check(&parsed->options, &parsed->error), 0, "%s", parsed->error.text);
    cr_assert_eq(load_options_aim(&parsed->options, &parsed->error), 0, "%s", parsed->error.text);
    return parsed;
}

static void assert_check_refuses(struct parsed *parsed)
{
    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(load_options_check(&parsed->options, &parsed->error), -1);
    cr_assert_neq(parsed->error.text[0], '\0');
    release(parsed);
}

struct resume_row {
    char value[VALUE_BYTES];
    enum load_resume resume;
    unsigned percent;
};

ParameterizedTestParameters(load_options, resume_takes_kinds_and_percentages)
{
    static struct resume_row rows[] = {
        {"none", LOAD_RESUME_NONE, 0},
        {"ticket", LOAD_RESUME_TICKET, 100},
        {"id", LOAD_RESUME_ID, 100},
        {"70", LOAD_RESUME_TICKET, 70},
        {"ticket:70", LOAD_RESUME_TICKET, 70},
        {"id:5", LOAD_RESUME_ID, 5},
        {"0", LOAD_RESUME_NONE, 0},
        {"100", LOAD_RESUME_TICKET, 100},
    };

    return cr_make_param_array(struct resume_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct resume_row *row, load_options, resume_takes_kinds_and_percentages)
{
    struct parsed *parsed = PARSE("--resume", row->value, "127.0.0.1:1");

    cr_assert_eq(parsed->result, OPTIONS_PARSED, "%s", parsed->error.text);
    cr_assert_eq(parsed->options.plan.resume, row->resume, "%s", row->value);
    cr_assert_eq(parsed->options.plan.resume_percent, row->percent, "%s", row->value);
    release(parsed);
}

struct refused_row {
    char value[VALUE_BYTES];
};

ParameterizedTestParameters(load_options, resume_refuses_anything_else)
{
    static struct refused_row rows[] = {{"101"},    {"-1"},     {"50%"}, {"tickets"}, {"ticket:"},
                                        {"id:101"}, {"none:5"}, {"1.5"}, {":5"},      {"idx"}};

    return cr_make_param_array(struct refused_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct refused_row *row, load_options, resume_refuses_anything_else)
{
    struct parsed *parsed = PARSE("--resume", row->value, "127.0.0.1:1");

    cr_assert_eq(parsed->result, OPTIONS_WRONG, "%s", row->value);
    release(parsed);
}

Test(load_options, service_is_the_one_named_or_left_to_the_target)
{
    struct parsed *parsed = aim(PARSE("--mode", "rr", "--service", "rr", "127.0.0.1:1"));

    cr_assert_eq(parsed->options.plan.peer, LOAD_PEER_RR);
    release(parsed);
    parsed = aim(PARSE("--mode", "rr", "https://127.0.0.1:1/"));
    cr_assert_eq(parsed->options.plan.peer, LOAD_PEER_HTTP);
    release(parsed);
}

Test(load_options, certificate_is_checked_against_the_name_that_was_asked_for)
{
    struct parsed *parsed = aim(PARSE("127.0.0.1:1"));

    cr_assert_str_eq(parsed->options.plan.verify_host, "127.0.0.1");
    release(parsed);
    parsed = aim(PARSE("--sni-name", "a.example", "127.0.0.1:1"));
    cr_assert_str_eq(parsed->options.plan.verify_host, "a.example");
    release(parsed);
    parsed = aim(PARSE("--sni-name", "a.example", "--verify-host", "b.example", "127.0.0.1:1"));
    cr_assert_str_eq(parsed->options.plan.verify_host, "b.example");
    release(parsed);
    parsed = aim(PARSE("unix:/tmp/tlsdyno-test"));
    cr_assert_str_eq(parsed->options.plan.verify_host, "localhost");
    release(parsed);
}

Test(load_options, nothing_is_checked_when_insecure_or_plain)
{
    struct parsed *parsed = aim(PARSE("--insecure", "127.0.0.1:1"));

    cr_assert_null(parsed->options.plan.verify_host);
    cr_assert(parsed->options.plan.tls.insecure);
    release(parsed);
    parsed = aim(PARSE("--plain", "127.0.0.1:1"));
    cr_assert_null(parsed->options.plan.verify_host);
    cr_assert(parsed->options.plan.plain_tcp);
    release(parsed);
}

Test(load_options, options_that_a_mode_would_ignore_are_refused)
{
    assert_check_refuses(PARSE("-m", "64", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--depth", "2", "--mode", "upload", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--response-bytes", "2", "--mode", "rr", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--insecure", "--ca", "ca.pem", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--rate", "5", "--mode", "upload", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--arrivals", "poisson", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--expect-resumed", "99%", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--fail-if", "p99>1s", "--mode", "download", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--insecure", "--crl", "crl.pem", "127.0.0.1:1"));
}

Test(load_options, the_same_options_in_their_mode_are_taken)
{
    release(aim(PARSE("-m", "64", "--depth", "2", "--mode", "rr", "127.0.0.1:1")));
    release(aim(PARSE("--response-bytes", "2", "--mode", "rr", "-s", "rr", "127.0.0.1:1")));
    release(aim(PARSE("--ca", "ca.pem", "127.0.0.1:1")));
    release(aim(PARSE("-R", "5", "--arrivals", "poisson", "--mode", "rr", "127.0.0.1:1")));
    release(aim(PARSE("--expect-resumed", "99%", "--resume", "70", "127.0.0.1:1")));
    release(aim(PARSE("--fail-if", "p99>1s,errors>0", "--mode", "rr", "127.0.0.1:1")));
}

Test(load_options, conditions_are_read_with_the_command_line)
{
    struct parsed *right = PARSE("--fail-if", "p99>1s,errors>0", "127.0.0.1:1");
    struct parsed *wrong = PARSE("--fail-if", "p98>1s", "127.0.0.1:1");

    cr_expect_eq(right->result, OPTIONS_PARSED);
    cr_expect_eq(right->options.thresholds.count, 2);
    cr_expect_eq(wrong->result, OPTIONS_WRONG);
    cr_expect_neq(wrong->error.text[0], '\0');
    release(right);
    release(wrong);
}

Test(load_options, a_clients_certificate_has_its_key_or_is_a_pkcs12)
{
    release(aim(PARSE("--cert", "c.pem", "--key", "c.key", "127.0.0.1:1")));
    release(aim(PARSE("--pfx", "c.p12", "127.0.0.1:1")));
    assert_check_refuses(PARSE("--cert", "c.pem", "127.0.0.1:1"));
    assert_check_refuses(PARSE("--pfx", "c.p12", "--ca", "ca.pem", "127.0.0.1:1"));
}
