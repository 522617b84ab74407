/* All commands of the program. */
#pragma once

#include "cli/command.h"

extern const struct command *const commands[];
extern const size_t command_count;

/* The command called `name`, or NULL. */
const struct command *command_find(const char *name);
