#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "report/sparkline.h"

static void assert_drawn(const double *values, size_t count, bool ascii, const char *expected)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    sparkline_write(out, values, count, ascii);
    fclose(out);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(sparkline, scales_from_zero_to_the_largest)
{
    const double values[] = {0, 4, 8};

    assert_drawn(values, 3, false, " ▄█");
    assert_drawn(values, 3, true, " =@");
}

Test(sparkline, shows_a_value_too_small_for_its_scale)
{
    const double values[] = {1, 1000000};

    assert_drawn(values, 2, true, ".@");
}

Test(sparkline, draws_nothing_for_what_is_no_amount)
{
    const double values[] = {NAN, -1, 0};

    assert_drawn(values, 3, true, "   ");
    assert_drawn(values, 0, true, "");
}
