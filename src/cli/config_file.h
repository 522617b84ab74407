/* Options from a file: a line each,
 *
 *     # a comment takes the whole line
 *     listen = 127.0.0.1:8443,http
 *     listen = [::1]:8443,http       an option that may be repeated has as many lines
 *     tickets = false                switches are true or false, never --no-NAME
 *
 * with the long names of the command line and the same values. Blanks around name and value do not
 * count; nothing quotes or continues a line. Names of files are relative to where the program was
 * started, as on the command line. */
#pragma once

#include <stdbool.h>

#include "cli/options.h"

enum { CONFIG_FILE_BYTES_MAX = 1024 * 1024 };

/* The text of a file; the caller frees it. NULL and a sentence that names the file on failure. */
char *config_file_read(const char *name, struct error *error);

/* Puts what `text` says into `config`, but for rows that are `hidden`: those, one for each row of
 * the table, need only have the right name. Cuts the text into its values, which strings of the
 * configuration then point into. Returns 0, or -1 and a sentence that begins with the line
 * ("file:3: ..."); the lines before it have then been taken. */
int config_file_apply(const struct option_table *table, const char *name, char *text,
                      const bool hidden[OPTION_ROWS_MAX], void *config, struct error *error);
