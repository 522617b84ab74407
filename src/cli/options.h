/* The options of a command as a table: one row says how an option is spelled, what --help prints,
 * which values are allowed and where a value goes. The parser, the help and whatever else speaks of
 * options (manual page, configuration keys, completion) are derived from the same rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct error;

enum option_kind {
    OPTION_SWITCH,   /* bool, or enum option_decision */
    OPTION_COUNT,    /* uint32_t or uint64_t, as units_parse_count() reads it */
    OPTION_BYTES,    /* likewise; a size */
    OPTION_DURATION, /* uint32_t or uint64_t, as units_parse_duration() reads it */
    OPTION_STRING,   /* const char *, borrowed from the command line or a configuration file */
    OPTION_CHOICE,   /* enum or int: the index of the word in `choices` */
    OPTION_LIST,     /* struct option_list; may be repeated */
    OPTION_FUNCTION, /* whatever `function` does with it; may be repeated when it says so */
};

/* The field of a switch whose default depends on other options. */
enum option_decision { OPTION_UNDECIDED, OPTION_YES, OPTION_NO };

/* The field of an OPTION_LIST. Always ended by NULL. */
enum { OPTION_LIST_MAX = 256 };

struct option_list {
    const char *items[OPTION_LIST_MAX + 1];
    size_t count;
};

/* Puts `value` into `config` (the section's structure). Returns 0, or -1 and a sentence that says
 * what is allowed. */
typedef int option_function(void *config, const char *value, struct error *error);

struct option_info {
    const char *name; /* "max-connections": --max-connections */
    char letter;      /* 'c': -c; 0: none */
    enum option_kind kind;
    bool negatable;       /* switch: --no-NAME exists too */
    bool inverted;        /* switch: the field says the opposite of the name */
    const char *argument; /* "N", "FILE"; NULL for switches */
    const char *group;    /* heading in --help */
    const char *help;     /* a sentence, without full stop */
    const char *initial;  /* the value when the option is not given, as a person would type it */
    const char *default_text; /* the same in words, when no value stands for it; only shown */
    uint64_t min, max;        /* numbers: in units or ns, max 0: as the field allows; list: items */
    uint64_t unit_ns;         /* duration: what the field counts in; 0: nanoseconds */
    /* Ended by NULL. A choice's words; a function's too when it takes few, for completion only. */
    const char *const *choices;
    option_function *function;
    size_t offset, width; /* of the field; see OPTION_FIELD */
};

/* offset and width of a row. */
#define OPTION_FIELD(type, member)                                                                 \
    .offset = offsetof(type, member), .width = sizeof(((type *)NULL)->member)

/* Units for the ranges of durations; ordinary constants are no constant expressions in C17. */
#define OPTION_MILLISECOND 1000000ull
#define OPTION_SECOND      (1000 * OPTION_MILLISECOND)
#define OPTION_HOUR        (3600 * OPTION_SECOND)
#define OPTION_DAY         (24 * OPTION_HOUR)

/* Rows over one structure that lies `base` bytes into the command's configuration. */
struct option_section {
    const struct option_info *rows;
    size_t count;
    size_t base;
};

enum { OPTION_SECTIONS_MAX = 4, OPTION_ROWS_MAX = 128 };

struct option_table {
    const char *command;   /* "serve" */
    const char *summary;   /* sentences for the top of --help */
    const char *operand;   /* "TARGET", required; NULL: the command takes none */
    bool operand_repeats;  /* any number of them, none too: the field is a struct option_list */
    size_t operand_offset; /* of its const char * */
    const char *epilogue;  /* examples, after the options; NULL: none */
    struct option_section sections[OPTION_SECTIONS_MAX]; /* ended by one without rows, or full */
};

/* Rows that every command has besides its table: --help and --config. */
enum { OPTION_COMMON_COUNT = 2 };

extern const struct option_info option_common_rows[OPTION_COMMON_COUNT];

/* The texts of configuration files, which strings of the configuration point into. Zeroed memory is
 * none of them. */
enum { OPTION_FILES_MAX = 8 };

struct option_files {
    char *texts[OPTION_FILES_MAX];
    size_t count;
};

void option_files_free(struct option_files *files);

enum options_result {
    OPTIONS_PARSED,
    OPTIONS_HELP,  /* --help or -h was given */
    OPTIONS_WRONG, /* the error names option (or file and line), value and what is allowed */
};

/* Reads argv[1] and on, as getopt_long(3) would, but without abbreviations: --name value,
 * --name=value, -c 10, -c10, --no-name, and -- before operands that begin with a dash. `config`,
 * zeroed by the caller, gets every row's initial value first, then the files named by --config
 * (config_file.h), then the options; an option that is given hides all that files say about it. The
 * strings of `config` point into argv, the table or `files`, which must outlive it. */
enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  void *config, struct option_files *files, struct error *error);

/* The rows of all sections as one sequence; NULL after the last one. */
const struct option_info *options_row(const struct option_table *table, size_t index);

/* Whether row `index` is the first of its group, which may have rows in several sections. */
bool options_is_group_start(const struct option_table *table, size_t index);

/* The row called `name`, or NULL. */
const struct option_info *options_find(const struct option_table *table, const char *name);

/* What an option may be set to, in words: "a number from 1 to 1024". Returns out. */
enum { OPTION_ALLOWED_BYTES = 256 };

const char *options_allowed(const struct option_info *info, char out[OPTION_ALLOWED_BYTES]);

/* The text of `tlsdyno COMMAND --help`, 80 columns wide. */
void options_print_help(const struct option_table *table, FILE *out);
