/* All commands of the program. */
#pragma once

#include "cli/command.h"

enum { COMMAND_COUNT = 9 };

extern const struct command *const commands[COMMAND_COUNT];

/* The command called `name`, or NULL. */
const struct command *command_find(const char *name);
