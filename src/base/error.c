#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, const char *format, ...)
{
    /* Formatted aside, because an argument may point into the text that is being replaced. */
    char text[ERROR_TEXT_BYTES];
    va_list arguments;

    if (error == NULL) {
        return -1;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    memcpy(error->text, text, sizeof(text));
    return -1;
}

int error_prefix(struct error *error, const char *format, ...)
{
    char prefix[ERROR_TEXT_BYTES];
    va_list arguments;

    if (error == NULL) {
        return -1;
    }
    va_start(arguments, format);
    vsnprintf(prefix, sizeof(prefix), format, arguments);
    va_end(arguments);
    return error_set(error, "%s: %s", prefix, error->text);
}
