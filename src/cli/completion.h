/* What a shell may offer after tlsdyno, written from the tables of the commands. */
#pragma once

#include <stdio.h>

/* A function for bash and the call that installs it; needs nothing but bash itself. */
void completion_print_bash(FILE *out);
