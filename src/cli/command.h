/* A command of the program: its options, and what it does with them. main.c has the table. */
#pragma once

#include <stddef.h>

#include "cli/options.h"

struct error;

enum { EXIT_USAGE = 2 }; /* beside EXIT_SUCCESS and EXIT_FAILURE */

struct command {
    const char *help; /* one line for `tlsdyno --help` */
    struct option_table table;
    size_t config_bytes; /* of the structure that the table's offsets lead into */

    /* Runs with the parsed configuration and returns the exit status; with any but EXIT_SUCCESS the
     * error holds the sentence to print. argv, from the command's name on, is for the record. */
    int (*run)(void *config, char **argv, struct error *error);
};

extern const struct command serve_command;
extern const struct command load_command;
extern const struct command cert_command;
