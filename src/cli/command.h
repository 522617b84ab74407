/* A command of the program: its options, and what it does with them. commands.c has them all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

struct error;

/* Beside EXIT_SUCCESS and EXIT_FAILURE. */
enum {
    EXIT_USAGE = 2,
    EXIT_VIOLATED = 3, /* it ran, and did not keep to what was asked of it */
};

/* A section of the manual page beyond what the table tells. */
struct manual_section {
    const char *heading; /* "SIGNALS" */
    const char *text;    /* paragraphs, with an empty line between them */
};

enum { MANUAL_SECTIONS_MAX = 8 };

struct command {
    const char *help; /* one line for `tlsdyno --help` */
    struct option_table table;
    struct manual_section manual[MANUAL_SECTIONS_MAX]; /* ended by one without heading, or full */
    bool is_ranked; /* processes that mpirun starts are one run of it, and the first one speaks */
    size_t config_bytes; /* of the structure that the table's offsets lead into */

    /* Runs with the parsed configuration and returns the exit status; with any but EXIT_SUCCESS the
     * error holds the sentence to print. argv, from the command's name on, is for the record. */
    int (*run)(void *config, char **argv, struct error *error);
    const char *violated; /* when that is EXIT_VIOLATED, for the manual page; NULL is never */
};

extern const struct command serve_command;
extern const struct command load_command;
extern const struct command limit_command;
extern const struct command cert_command;
extern const struct command ciphers_command;
extern const struct command compare_command;
extern const struct command report_command;
extern const struct command sweep_command;
extern const struct command top_command;
