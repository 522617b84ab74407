#include "report/sparkline.h"

enum { LEVEL_COUNT = 9 }; /* nothing, and eight heights */

static const char *const blocks[LEVEL_COUNT] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const punctuation[LEVEL_COUNT] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};

void sparkline_write(FILE *out, const double *values, size_t count, bool ascii)
{
    const char *const *levels = ascii ? punctuation : blocks;
    double largest = 0;

    for (size_t i = 0; i < count; i++) {
        largest = values[i] > largest ? values[i] : largest;
    }
    for (size_t i = 0; i < count; i++) {
        int level = 0;

        if (values[i] >
            0) { /* so small a value that it would vanish still shows as the lowest bar */
            level = (int)(values[i] / largest * (LEVEL_COUNT - 1) + 0.5);
            level = level < 1 ? 1 : level;
        }
        fputs(levels[level], out);
    }
}
