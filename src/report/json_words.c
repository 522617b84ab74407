#include "report/json_words.h"

#include <math.h>
#include <string.h>

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

json_t *json_count_filled(uint64_t value)
{
    return value > 0 ? json_count(value) : json_null();
}

json_t *json_text(const char *text)
{
    char ascii[1024];
    size_t length = 0;

    if (text == NULL) {
        return json_null();
    }
    json_t *string = json_string(text);

    if (string != NULL) {
        return string;
    }
    for (; length < sizeof(ascii) - 1 && text[length] != '\0'; length++) {
        ascii[length] = text[length];
        if ((unsigned char)ascii[length] >= 0x80) {
            ascii[length] = '?';
        }
    }
    ascii[length] = '\0';
    return json_string(ascii);
}

json_t *json_text_filled(const char *text)
{
    return json_text(text != NULL && text[0] != '\0' ? text : NULL);
}

json_t *json_append(json_t *array, json_t *item)
{
    if (json_array_append_new(array, item) != 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}
