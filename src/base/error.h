/* Set-up errors: one sentence for a person, naming the file, key or option that is wrong and what
 * to do. Never used on the data path, where an enum status and a counter do. */
#pragma once

enum { ERROR_TEXT_BYTES = 512 };

struct error {
    char text[ERROR_TEXT_BYTES]; /* empty while nothing has failed */
};

/* Writes the sentence (cut at the size of the text) and returns -1, so that callers can write
 * `return error_set(...)`. `error` may be NULL; its own text may be among the arguments. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the sentence already there; returns -1. */
int error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
