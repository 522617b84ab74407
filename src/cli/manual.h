/* Manual pages in roff's man(7) macros, written from the tables of the commands. */
#pragma once

#include <stdio.h>

#include "cli/command.h"

/* tlsdyno(1): the commands, and what holds for all of them. */
void manual_print_program(FILE *out);

/* tlsdyno-COMMAND(1). */
void manual_print_command(const struct command *command, FILE *out);
