#include <criterion/criterion.h>
#include <string.h>

#include "base/error.h"
#include "cli/load_ranks.h"

static const struct ranks alone = {.count = 1};
static const struct ranks second_of_three = {.index = 1, .count = 3};
static struct load_options options;
static struct error error;

Test(load_ranks, one_process_keeps_all_its_options)
{
    options.json_file = "a.json";
    options.find_max = "p99<5ms";
    options.session_file = "session";
    cr_assert_eq(load_ranks_prepare(&alone, &options, &error), 0);
    cr_expect_str_eq(options.json_file, "a.json");
    cr_expect_eq(options.plan.rank.count, 0);
}

Test(load_ranks, only_the_first_of_several_writes_and_asks)
{
    const struct ranks first = {.count = 3};

    options.json_file = options.csv_file = options.percentiles_file = "file";
    options.admin = options.limit_file = "place";
    cr_assert_eq(load_ranks_prepare(&first, &options, &error), 0);
    cr_expect_str_eq(options.json_file, "file");
    cr_expect_str_eq(options.admin, "place");
    cr_assert_eq(load_ranks_prepare(&second_of_three, &options, &error), 0);
    cr_expect_null(options.json_file);
    cr_expect_null(options.csv_file);
    cr_expect_null(options.percentiles_file);
    cr_expect_null(options.admin);
    cr_expect_null(options.limit_file);
    cr_expect_eq(options.plan.rank.index, 1);
    cr_expect_eq(options.plan.rank.count, 3);
}

Test(load_ranks, several_cannot_search_nor_share_a_session)
{
    options.find_max = "p99<5ms";
    cr_expect_eq(load_ranks_prepare(&second_of_three, &options, &error), -1);
    cr_expect_not_null(strstr(error.text, "--find-max"), "%s", error.text);
    options.find_max = NULL;
    options.session_file = "session";
    cr_expect_eq(load_ranks_prepare(&second_of_three, &options, &error), -1);
    cr_expect_not_null(strstr(error.text, "--session-file"), "%s", error.text);
}

Test(load_ranks, one_process_agrees_with_itself)
{
    static char command_line[RECORD_COMMAND_BYTES] = "tlsdyno load 127.0.0.1:4433";

    cr_expect_eq(load_ranks_compare(&alone, command_line, &error), 0);
}

Test(load_ranks, machines_are_told_apart_by_their_names)
{
    const struct report_rank rows[] = {{.host = "alpha"}, {.host = "alpha"}, {.host = "beta"}};

    cr_expect(load_ranks_share_machine(NULL, 1));
    cr_expect(load_ranks_share_machine(rows, 2));
    cr_expect_not(load_ranks_share_machine(rows, 3));
}
