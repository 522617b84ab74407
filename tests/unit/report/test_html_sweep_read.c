#include "report/html_sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "results.h"

static json_t *document;
static struct sweep *sweep;

static void init(void)
{
    document = results_sweep();
    sweep = sweep_new(document);
    cr_assert_not_null(sweep);
}

static void deinit(void)
{
    free(sweep);
    json_decref(document);
}

TestSuite(html_sweep_read, .init = init, .fini = deinit);

Test(html_sweep_read, axes_come_from_the_cells_with_numbers_ascending)
{
    const struct sweep_axis *fragments = &sweep->axes[2];
    char text[SWEEP_TEXT_BYTES];

    cr_assert_eq(sweep->axis_count, 4);
    cr_assert_str_eq(fragments->name, "fragment");
    cr_assert_eq(fragments->count, 3);
    cr_assert_str_eq(sweep_value_text("fragment", fragments->items[0], text), "512");
    cr_assert_str_eq(sweep_value_text("fragment", fragments->items[2], text), "16,384");
    cr_assert_str_eq(sweep_value_text("link_bits_per_second", sweep->axes[3].items[0], text),
                     "no limit");
    cr_assert_not(sweep->cut);
}

Test(html_sweep_read, cells_are_found_by_their_parameters)
{
    struct sweep_slice slice;

    sweep_slice_first(sweep, &slice);
    sweep_slice_set(&slice, &sweep->axes[1], 1); /* S2 */
    sweep_slice_set(&slice, &sweep->axes[2], 0); /* 512 */
    cr_assert_float_eq(sweep_median(sweep_find(&slice), "goodput_bytes_per_second"), 1024e3, 1);
    cr_assert(isnan(sweep_median(sweep_find(&slice), "handshakes_per_second")));
    sweep_slice_set(&slice, &sweep->axes[2], 3);
    cr_assert_null(sweep_find(&slice), "there is no fourth fragment");
    cr_assert(isnan(sweep_median(NULL, "goodput_bytes_per_second")));
}

Test(html_sweep_read, slices_run_through_the_other_axes)
{
    struct sweep_slice slice;
    char text[SWEEP_SLICE_BYTES];

    sweep_slice_first(sweep, &slice);
    cr_assert_str_eq(sweep_slice_text(&slice, &sweep->axes[2], NULL, text), ": suite S1");
    cr_assert(sweep_slice_next(&slice, &sweep->axes[2], NULL));
    cr_assert_str_eq(sweep_slice_text(&slice, &sweep->axes[2], NULL, text), ": suite S2");
    cr_assert_not(sweep_slice_next(&slice, &sweep->axes[2], NULL));
    sweep_slice_last(sweep, &slice);
    cr_assert_eq(slice.index[2], 2);
}

Test(html_sweep_read, more_than_there_is_room_for_is_cut)
{
    json_t *cells = json_object_get(document, "cells");

    for (int i = 0; i < 40; i++) {
        json_array_append_new(
            cells, json_pack("{s:{s:i}, s:s}", "parameters", "connections", i, "status", "done"));
    }
    free(sweep);
    sweep = sweep_new(document);
    cr_assert(sweep->cut);
    cr_assert_eq(sweep->axes[4].count, SWEEP_VALUES_MAX);
}
