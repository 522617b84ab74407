#include "cli/gnuplot.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"

Test(gnuplot, draws_what_the_script_asks_for)
{
    struct error error = {0};
    char *text;

    if (!gnuplot_is_there(&error)) {
        cr_skip("%s", error.text);
    }
    text = gnuplot_draw("set terminal svg\nplot '-'\n1 1\n2 2\ne\n", &error);
    cr_assert_not_null(text, "%s", error.text);
    cr_assert_not_null(strstr(text, "<svg"));
    free(text);
    text = gnuplot_draw("no such command\n", &error);
    cr_assert_null(text);
    cr_assert_not_null(strstr(error.text, "gnuplot failed"), "%s", error.text);
}

Test(gnuplot, that_is_not_installed_is_named)
{
    struct error error = {0};

    setenv("PATH", "/nowhere", 1);
    cr_assert_not(gnuplot_is_there(&error));
    cr_assert_not_null(strstr(error.text, "install gnuplot-nox"), "%s", error.text);
    cr_assert_null(gnuplot_draw("", &error));
    cr_assert_not_null(strstr(error.text, "cannot start gnuplot"), "%s", error.text);
}
