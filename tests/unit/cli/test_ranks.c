#include <criterion/criterion.h>
#include <stdlib.h>

#include "cli/ranks.h"

static void set(const char *prefix, const char *count, const char *index)
{
    const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE",
                                 "PMI_RANK"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unsetenv(names[i]);
        if (prefix != NULL && names[i][0] == prefix[0]) {
            setenv(names[i], i % 2 == 0 ? count : index, 1);
        }
    }
}

Test(ranks, a_process_of_its_own_is_alone_and_speaks)
{
    set(NULL, NULL, NULL);
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
    set("OMPI", "1", "0");
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
}

Test(ranks, starters_tell_how_many_there_are)
{
    set("OMPI", "3", "2");
    cr_expect_eq(ranks_of_environment().count, 3);
    cr_expect_eq(ranks_of_environment().index, 2);
    cr_expect_not(ranks_speak());
    set("PMI", "4", "0");
    cr_expect_eq(ranks_of_environment().count, 4);
    cr_expect(ranks_speak());
}

Test(ranks, a_value_that_is_no_number_is_none)
{
    set("OMPI", "many", "x");
    cr_expect_eq(ranks_of_environment().count, 1);
    cr_expect(ranks_speak());
}
