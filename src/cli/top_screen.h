/* The terminal of `tlsdyno top`, by ncurses. One at a time, on the main thread. */
#pragma once

#include "cli/top_view.h"

struct error;
struct top_screen; /* opaque */

/* NULL and a sentence when the terminal is none that ncurses knows. */
struct top_screen *top_screen_open(struct error *error);
void top_screen_close(struct top_screen *screen); /* accepts NULL; leaves the terminal as it was */

void top_screen_show(struct top_screen *screen, const struct top_frame *frame);

enum top_key { TOP_KEY_NONE, TOP_KEY_QUIT, TOP_KEY_PAUSE, TOP_KEY_SORT, TOP_KEY_RESIZE };

/* Waits at most so long. */
enum top_key top_screen_wait(struct top_screen *screen, int timeout_ms);
