#include "cli/commands.h"

#include <string.h>

const struct command *const commands[] = {
    &serve_command,  &load_command, &sweep_command, &limit_command,   &compare_command,
    &report_command, &top_command,  &cert_command,  &ciphers_command,
};

const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->table.command, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}
