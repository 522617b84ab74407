/* tlsdyno: finds the command, parses its options by its table, runs it, prints its one sentence of
 * failure. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/capabilities.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/manual.h"
#include "cli/ranks.h"
#include "cli/suggest.h"

/* jemalloc(3), TUNING: gives the kernel back what is free even when nobody allocates. Without it a
 * server whose connections all fall silent keeps what they were made with: 2 KiB a connection of
 * 10,000. One thread for it: a first one would make more as arenas come, ask for them without end
 * in the sandbox, which refuses threads, and say so each time. */
extern const char *malloc_conf;
const char *malloc_conf = "background_thread:true,max_background_threads:1";

static void print_help(FILE *out)
{
    fprintf(out, "usage: tlsdyno COMMAND [OPTION...]\n\n"
                 "A dynamometer for TLS: puts a TLS server under a known load and measures what it "
                 "gives.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "  %-8s %s\n", commands[i]->table.command, commands[i]->help);
    }
    fprintf(out, "\n"
                 "tlsdyno COMMAND --help lists the options of a command, tlsdyno --version the\n"
                 "versions of this program, of OpenSSL, and what the kernel offers.\n");
}

static int fail(const struct error *error, int status)
{
    fprintf(stderr, "tlsdyno: %s\n", error->text);
    return status;
}

static int fail_command(const struct command *command, const struct error *error, int status)
{
    return command->is_ranked && !ranks_speak() ? status : fail(error, status);
}

static int refuse_command(const char *name)
{
    struct suggestion suggestion;
    struct error error;

    suggestion_init(&suggestion, name);
    for (size_t i = 0; i < command_count; i++) {
        suggestion_offer(&suggestion, commands[i]->table.command);
    }
    suggestion_offer(&suggestion, "--help");
    suggestion_offer(&suggestion, "--version");
    if (suggestion.best[0] != '\0') {
        error_set(&error, "unknown command '%s'; did you mean '%s'?", name, suggestion.best);
    } else {
        error_set(&error, "unknown command '%s'; see tlsdyno --help", name);
    }
    return fail(&error, EXIT_USAGE);
}

/* A report that could not be written, to a full disk for instance, is a failure. */
static int finish_output(int status)
{
    struct error error = {0};

    if (fflush(stdout) != 0 || ferror(stdout)) {
        error_set(&error, "cannot write to standard output: %m");
        return fail(&error, EXIT_FAILURE);
    }
    return status;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct error error = {0};
    struct option_files files = {0};
    void *config = calloc(1, command->config_bytes);
    int status = EXIT_USAGE;

    if (config == NULL) {
        error_set(&error, "out of memory");
        return fail(&error, EXIT_FAILURE);
    }
    switch (options_parse(&command->table, argc, argv, config, &files, &error)) {
    case OPTIONS_HELP:
        options_print_help(&command->table, stdout);
        status = EXIT_SUCCESS;
        break;
    case OPTIONS_WRONG:
        fail_command(command, &error, status);
        break;
    case OPTIONS_PARSED:
        status = command->run(config, argv, &error);
        if (status != EXIT_SUCCESS) {
            fail_command(command, &error, status);
        }
        break;
    }
    free(config);
    option_files_free(&files);
    return finish_output(status);
}

/* For packaging: --man NAME, where NAME is a command or tlsdyno itself, and --completion bash. */
static int generate(const char *what, const char *name)
{
    const struct command *command = command_find(name);
    struct error error = {0};

    if (strcmp(what, "--completion") == 0 && strcmp(name, "bash") == 0) {
        completion_print_bash(stdout);
    } else if (strcmp(what, "--man") == 0 && strcmp(name, "tlsdyno") == 0) {
        manual_print_program(stdout);
    } else if (strcmp(what, "--man") == 0 && command != NULL) {
        manual_print_command(command, stdout);
    } else {
        error_set(&error, "there is no %s %s", what, name);
        return fail(&error, EXIT_USAGE);
    }
    return finish_output(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    const struct command *command;

    setlocale(LC_CTYPE, ""); /* only to know whether the terminal reads UTF-8 */
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return finish_output(EXIT_SUCCESS);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("tlsdyno %s\n", TLSDYNO_VERSION);
        capabilities_print(stdout);
        return finish_output(EXIT_SUCCESS);
    }
    if (argc == 3 && (strcmp(argv[1], "--man") == 0 || strcmp(argv[1], "--completion") == 0)) {
        return generate(argv[1], argv[2]);
    }
    command = command_find(argv[1]);
    return command != NULL ? run_command(command, argc - 1, argv + 1) : refuse_command(argv[1]);
}
