#include "cli/top_view.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/units.h"

/* Where the next line goes, and how many there may be. */
struct page {
    size_t width, height, row;
    top_print_line *print;
    void *user;
};

static void __attribute__((format(printf, 3, 4)))
add_line(struct page *page, enum top_emphasis emphasis, const char *format, ...)
{
    char line[TOP_LINE_BYTES];
    va_list arguments;

    if (page->row >= page->height) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (page->width < sizeof(line)) {
        line[page->width] = '\0';
    }
    page->print(page->user, page->row++, emphasis, line);
}

/* "-" for NAN. */
static const char *count(double value, char out[UNITS_TEXT_BYTES])
{
    return isnan(value) ? strcpy(out, "-") : units_format_count(value, out);
}

static const char *bytes(double value, char out[UNITS_TEXT_BYTES])
{
    return isnan(value) ? strcpy(out, "-") : units_format_bytes(value, out);
}

static const char *percent(double share, char out[UNITS_TEXT_BYTES])
{
    snprintf(out, UNITS_TEXT_BYTES, isnan(share) ? "-" : "%.0f%%", share * 100);
    return out;
}

static void add_row(struct page *page, enum top_emphasis emphasis, const char *name,
                    const struct top_row *row)
{
    char texts[9][UNITS_TEXT_BYTES];

    add_line(page, emphasis, "%7s%6s%9s%9s%8s%11s%10s%10s%9s", name, percent(row->busy, texts[0]),
             count(row->full, texts[1]), count(row->resumed, texts[2]), count(row->open, texts[3]),
             count(row->messages, texts[4]), bytes(row->bytes_in, texts[5]),
             bytes(row->bytes_out, texts[6]), count(row->errors, texts[7]));
}

static void add_head(struct page *page, const struct top_frame *frame)
{
    const struct top_rates *rates = frame->rates;
    char texts[3][UNITS_TEXT_BYTES];
    char left[TOP_LINE_BYTES];
    int space;

    snprintf(left, sizeof(left), "tlsdyno top  %.100s%s", frame->url,
             frame->paused ? "  PAUSED" : "");
    space = (int)(page->width > strlen(left) ? page->width - strlen(left) : 1);
    add_line(page, TOP_TITLE, "%s%*s", left, space, frame->clock);
    if (frame->trouble != NULL) {
        add_line(page, TOP_TROUBLE, "%s", frame->trouble);
    }
    if (rates == NULL) {
        add_line(page, TOP_PLAIN, "%s", frame->trouble == NULL ? "Waiting for two answers." : "");
        return;
    }
    add_line(page, TOP_PLAIN, "server tlsdyno %s, %s; %zu worker%s", rates->version, rates->openssl,
             rates->row_count, rates->row_count == 1 ? "" : "s");
    add_line(page, TOP_PLAIN, "open %s, at most %s so far; %s in handshake; process CPU %s",
             count(rates->all.open, texts[0]), count(rates->peak, texts[1]),
             count(rates->all.handshaking, texts[2]),
             percent(rates->process_busy, (char[UNITS_TEXT_BYTES]){""}));
    add_line(page, TOP_PLAIN, "%s", "");
}

static void add_reasons(struct page *page, const struct top_rates *rates)
{
    char texts[2][UNITS_TEXT_BYTES];

    add_line(page, TOP_PLAIN, "%s", "");
    if (rates->reason_count == 0) {
        add_line(page, TOP_DIM, "No errors since the server began.");
        return;
    }
    add_line(page, TOP_HEADING, "%-42s%10s%14s", "errors by reason", "a second", "in all");
    for (size_t i = 0; i < rates->reason_count; i++) {
        const struct top_reason *reason = &rates->reasons[i];
        char name[64];

        snprintf(name, sizeof(name), "%s%s%s", reason->name, reason->label[0] != '\0' ? ", " : "",
                 reason->label);
        add_line(page, reason->per_second > 0 ? TOP_TROUBLE : TOP_PLAIN, "%-42s%10s%14s", name,
                 count(reason->per_second, texts[0]), count(reason->total, texts[1]));
    }
}

/* Workers beyond the room for them are counted, so that errors keep a few lines. */
static void add_workers(struct page *page, const struct top_rates *rates, size_t kept_lines)
{
    size_t left = page->height > page->row ? page->height - page->row : 0;
    size_t room = left > kept_lines ? left - kept_lines : 0;
    size_t shown = rates->row_count <= room ? rates->row_count : (room > 0 ? room - 1 : 0);

    for (size_t i = 0; i < shown; i++) {
        const struct top_row *row = &rates->rows[i];
        char name[32];

        if (row->cpu >= 0) {
            snprintf(name, sizeof(name), "CPU %d", row->cpu);
        } else {
            snprintf(name, sizeof(name), "#%d", row->index);
        }
        add_row(page, TOP_PLAIN, name, row);
    }
    if (shown < rates->row_count && room > 0) {
        add_line(page, TOP_DIM, "%7s and %zu more", "", rates->row_count - shown);
    }
}

static void add_table(struct page *page, const struct top_rates *rates)
{
    size_t kept = rates->reason_count > 3 ? 5 : rates->reason_count + 2;

    add_line(page, TOP_PLAIN, "%13s%18s", "", "handshakes/s");
    add_line(page, TOP_HEADING, "%7s%6s%9s%9s%8s%11s%10s%10s%9s", "core", "busy", "full", "resumed",
             "open", "messages/s", "in/s", "out/s", "errors/s");
    add_row(page, TOP_TOTAL, "all", &rates->all);
    add_workers(page, rates, kept);
    add_reasons(page, rates);
}

void top_view_print(const struct top_frame *frame, size_t width, size_t height,
                    top_print_line *print, void *user)
{
    struct page page = {.width = width,
                        .height = height > 0 ? height - 1 : 0, /* the last is for the keys */
                        .print = print,
                        .user = user};

    add_head(&page, frame);
    if (frame->rates != NULL) {
        add_table(&page, frame->rates);
    }
    page.row = page.height;
    page.height = height;
    add_line(&page, TOP_DIM, "q quit   p %s   r sort by: %s   every %.3g s",
             frame->paused ? "go on" : "pause", top_order_name(frame->order), frame->interval);
}

static void print_to_file(void *user, size_t row, enum top_emphasis emphasis, const char *line)
{
    (void)row;
    (void)emphasis;
    fprintf(user, "%.*s\n", (int)strlen(line), line);
}

void top_view_once(FILE *out, const struct top_frame *frame)
{
    struct page page = {.width = 80, .height = SIZE_MAX / 2, .print = print_to_file, .user = out};

    add_head(&page, frame);
    if (frame->rates != NULL) {
        add_table(&page, frame->rates);
    }
}
