/* What all pictures have in common. */
#include "report/plot.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SVG_BYTES_MAX = 4 << 20 };

struct plot_list *plot_list_new(void)
{
    return calloc(1, sizeof(struct plot_list));
}

void plot_list_free(struct plot_list *list)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        free(list->items[i].body);
        for (int width = 0; width < PLOT_WIDTHS; width++) {
            free(list->items[i].svg[width]);
        }
    }
    free(list);
}

struct plot *plot_begin(struct plot_list *list, FILE **out_script)
{
    struct plot *plot = &list->items[list->count];

    if (list->count == PLOT_LISTED_MAX) {
        list->cut = true;
        return NULL;
    }
    *plot = (struct plot){.height = {[PLOT_WIDE] = 420, [PLOT_NARROW] = 340}};
    *out_script = open_memstream(&plot->body, &plot->body_bytes);
    return *out_script != NULL ? plot : NULL;
}

void plot_end(struct plot_list *list, FILE *script)
{
    struct plot *plot = &list->items[list->count];

    if (fclose(script) == 0) {
        list->count++;
    } else { /* memory is out: a page without this picture */
        free(plot->body);
        plot->body = NULL;
        list->cut = true;
    }
}

void plot_add_key(struct plot *plot, unsigned style, bool dashed, const char *text)
{
    if (plot->key_count < PLOT_KEYS_MAX) {
        struct plot_key *key = &plot->keys[plot->key_count++];

        key->style = style;
        key->dashed = dashed;
        snprintf(key->text, sizeof(key->text), "%s", text);
    }
}

/* The colours here are names: the page's style sheet replaces each by the scheme's. */
char *plot_script(const struct plot *plot, enum plot_width width)
{
    static const unsigned widths[PLOT_WIDTHS] = {[PLOT_WIDE] = 860, [PLOT_NARROW] = 360};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL) {
        return NULL;
    }
    fprintf(out,
            "narrow = %d\n"
            "set terminal svg size %u,%u dynamic noenhanced fontscale 1 font 'sans-serif,%d'\n"
            "set encoding utf8\n"
            "unset key\n"
            "set border 3 lc rgb '#010120' lw 1\n"
            "set grid back lc rgb '#010121' lw 1 dt solid\n"
            "set tics nomirror scale 0.4 tc rgb '#010120'\n"
            "set xlabel tc rgb '#010120'\n"
            "set ylabel tc rgb '#010120'\n"
            "%s",
            width == PLOT_NARROW, widths[width], plot->height[width],
            width == PLOT_NARROW ? 12 : 14, plot->body);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* From "<svg" on, without the definitions of point shapes: their ids would clash, and the page has
 * the one that is used. */
int plot_take_svg(struct plot *plot, enum plot_width width, const char *text)
{
    const char *start = strstr(text, "<svg");
    const char *end = start != NULL ? strstr(start, "</svg>") : NULL;
    const char *definitions = start != NULL ? strstr(start, "<defs>") : NULL;
    const char *after = definitions != NULL ? strstr(definitions, "</defs>") : NULL;
    char *svg;
    size_t before_bytes;
    size_t after_bytes;

    if (end == NULL || after == NULL || after > end || end - start > SVG_BYTES_MAX ||
        strstr(start, "<script") != NULL || strstr(start, "<image") != NULL) {
        return -1;
    }
    after += strlen("</defs>");
    before_bytes = (size_t)(definitions - start);
    after_bytes = (size_t)(end - after) + strlen("</svg>");
    svg = malloc(before_bytes + after_bytes + 1);
    if (svg == NULL) {
        return -1;
    }
    memcpy(svg, start, before_bytes);
    memcpy(svg + before_bytes, after, after_bytes);
    svg[before_bytes + after_bytes] = '\0';
    free(plot->svg[width]);
    plot->svg[width] = svg;
    return 0;
}

const char *plot_label(const char *text, char out[PLOT_LABEL_BYTES])
{
    size_t length = 0;

    for (; length < PLOT_LABEL_BYTES - 1 && text[length] != '\0'; length++) {
        bool harmless = isascii(text[length]) && (isalnum((unsigned char)text[length]) ||
                                                  strchr(" ,._+:/-", text[length]) != NULL);

        out[length] = harmless ? text[length] : '?';
    }
    out[length] = '\0';
    if (text[length] != '\0') {
        memcpy(out + length - 2, "..", 2);
    }
    return out;
}

void plot_write_style(FILE *script, unsigned style, bool dashed)
{
    fprintf(script, " lc rgb '#0101%02x' dt %s", style % PLOT_STYLES_MAX + 1,
            dashed ? "(6,5)" : "solid");
}

/* "10 ms" of "10.0 ms": ticks are round. */
static const char *tidy(double value, text_format *format, char out[UNITS_TEXT_BYTES])
{
    char text[UNITS_TEXT_BYTES];
    size_t digits;
    size_t kept;

    if (value == 0) {
        return strcpy(out, "0");
    }
    format(value, text);
    kept = digits = strspn(text, "0123456789.,");
    if (memchr(text, '.', digits) != NULL) {
        while (text[kept - 1] == '0') {
            kept--;
        }
        kept -= text[kept - 1] == '.';
    }
    snprintf(out, UNITS_TEXT_BYTES, "%.*s%.16s", (int)kept, text, text + digits);
    return out;
}

void plot_write_log_axis(FILE *script, char axis, double low, double high, text_format *format)
{
    static const double steps[] = {1, 2, 5};
    int first = (int)floor(log10(low));
    int last = (int)ceil(log10(high));
    bool fine = log10(high / low) < 1.8;
    const char *separator = "";
    char text[UNITS_TEXT_BYTES];

    fprintf(script, "set logscale %c\nset %crange [%.9g:%.9g]\nset %ctics (", axis, axis,
            low / 1.15, high * 1.15, axis);
    for (int decade = first; decade <= last; decade++) {
        for (size_t i = 0; i < (fine ? 3 : 1); i++) {
            double value = steps[i] * pow(10, decade);

            fprintf(script, "%s'%s' %.9g", separator, tidy(value, format, text), value);
            separator = ", ";
        }
    }
    fputs(")\n", script);
}

void plot_write_linear_axis(FILE *script, char axis, double high, text_format *format)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double top = high > 0 ? high * 1.05 : 1;
    double scale = pow(10, floor(log10(top / 5)));
    double step = 10 * scale;
    char text[UNITS_TEXT_BYTES];

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (top / (steps[i] * scale) <= 6) {
            step = steps[i] * scale;
            break;
        }
    }
    fprintf(script, "set %crange [0:%.9g]\nset %ctics (", axis, top, axis);
    for (int i = 0; i * step <= top; i++) {
        fprintf(script, "%s'%s' %.9g", i > 0 ? ", " : "", tidy(i * step, format, text), i * step);
    }
    fputs(")\n", script);
}
