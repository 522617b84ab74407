/* Lets gnuplot draw. It is started without a shell, reads neither start-up files nor anything but
 * the script, and has a deadline. */
#pragma once

#include <stdbool.h>

struct error;

/* Whether there is a gnuplot to start; sets the sentence that says how to get one otherwise. */
bool gnuplot_is_there(struct error *error);

/* What it printed for a script, heap; NULL and a sentence when it failed. */
char *gnuplot_draw(const char *script, struct error *error);
