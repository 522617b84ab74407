/* From a word to a field: what the parsers of the command line and of configuration files share. */
#pragma once

#include "cli/options.h"

/* An option of a table as it was named. */
struct option_match {
    const struct option_info *info; /* NULL: there is no such option */
    size_t base;                    /* of its section's structure */
    size_t index;                   /* of its row among all of the table */
    bool negated;                   /* named --no-NAME */
};

/* By long name, or by letter when `name` is NULL. */
struct option_match option_match(const struct option_table *table, const char *name, char letter);

/* Puts `text` into the field of a row that is no switch. Returns 0, or -1 and what is wrong with
 * it and what is allowed. */
int option_value_put(struct option_match match, void *config, const char *text,
                     struct error *error);

/* Puts what a switch says: `on` unless it was named in the negative. */
void option_switch_put(struct option_match match, void *config, bool on);

/* Every row's initial value. */
void option_values_init(const struct option_table *table, void *config);
