#include "cli/top_view.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "top_stats.h"

enum { ROWS = 100 };

struct screen {
    char lines[ROWS][TOP_LINE_BYTES];
    size_t count;
};

static void take_line(void *user, size_t row, enum top_emphasis emphasis, const char *line)
{
    struct screen *screen = user;

    (void)emphasis;
    cr_assert_lt(row, ROWS);
    strcpy(screen->lines[row], line);
    screen->count++;
}

static struct screen screen;
static struct top_rates *rates;
static struct top_frame frame;

static void init(void)
{
    json_t *before = top_stats(10);
    json_t *after = top_stats(11);
    struct error error = {0};

    top_stats_set(after, -1, COUNTER_MESSAGES, 12345);
    top_stats_set(after, -1, COUNTER_HANDSHAKE_FAILED_NOT_TLS, 3);
    rates = calloc(1, sizeof(*rates));
    cr_assert_eq(top_rates_compute(before, after, rates, &error), 0, "%s", error.text);
    json_decref(before);
    json_decref(after);
    memset(&screen, 0, sizeof(screen));
    frame = (struct top_frame){
        .url = "unix:/run/a", .clock = "12:34:56", .rates = rates, .interval = 1};
}

static void deinit(void)
{
    free(rates);
}

TestSuite(top_view, .init = init, .fini = deinit);

static void assert_line(const char *words)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strstr(screen.lines[i], words) != NULL) {
            return;
        }
    }
    cr_assert_fail("no line has '%s'", words);
}

Test(top_view, fits_into_a_classic_terminal)
{
    top_view_print(&frame, 80, 24, take_line, &screen);
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_leq(strlen(screen.lines[i]), 80);
        cr_assert(i < 24 || screen.lines[i][0] == '\0');
    }
    assert_line("unix:/run/a");
    assert_line("12.3 k");
    assert_line("CPU 0   25%");
    assert_line("handshake, not_tls                                 3             3");
    cr_assert_not_null(strstr(screen.lines[23], "q quit"), "%s", screen.lines[23]);
}

Test(top_view, many_cores_leave_room_for_errors_and_are_counted)
{
    for (size_t i = 2; i < 200; i++) {
        rates->rows[i] = rates->rows[0];
    }
    rates->row_count = 200;
    top_view_print(&frame, 80, 24, take_line, &screen);
    assert_line("and 188 more");
    assert_line("not_tls");
    cr_assert_eq(screen.count, 24);
}

Test(top_view, any_size_is_kept_to)
{
    for (size_t height = 0; height < 30; height++) {
        for (size_t width = 0; width < 100; width += 9) {
            memset(&screen, 0, sizeof(screen));
            top_view_print(&frame, width, height, take_line, &screen);
            for (size_t i = 0; i < ROWS; i++) {
                cr_assert_leq(strlen(screen.lines[i]), width);
                cr_assert(i < height || screen.lines[i][0] == '\0');
            }
        }
    }
}

Test(top_view, trouble_and_pause_are_said)
{
    frame.trouble = "NO ANSWER, trying again: refused";
    frame.paused = true;
    top_view_print(&frame, 80, 24, take_line, &screen);
    assert_line("NO ANSWER");
    assert_line("PAUSED");
    assert_line("p go on");
    frame.rates = NULL;
    memset(&screen, 0, sizeof(screen));
    top_view_print(&frame, 80, 24, take_line, &screen);
    assert_line("NO ANSWER");
}

Test(top_view, once_prints_all_cores_and_no_keys)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    for (size_t i = 2; i < 300; i++) {
        rates->rows[i] = rates->rows[0];
        rates->rows[i].cpu = (int)i;
    }
    rates->row_count = 300;
    top_view_once(out, &frame);
    fclose(out);
    cr_assert_not_null(strstr(text, "CPU 299"));
    cr_assert_null(strstr(text, "q quit"));
    cr_assert_null(strstr(text, "\x1b"));
    free(text);
}
