#include "tls/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tls/context.h"

enum { NAME_BYTES_MAX = 253 }; /* RFC 1035 2.3.4, without the final dot */

struct tls_name {
    char *name;
    struct tls_context *context;
};

/* Letters, digits, hyphens, underscores and dots; an asterisk only as the whole first label. */
bool tls_names_valid(const char *name)
{
    size_t bytes = strlen(name);

    if (strncmp(name, "*.", 2) == 0) {
        name += 2;
    }
    if (*name == '\0' || *name == '.' || bytes > NAME_BYTES_MAX) {
        return false;
    }
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && !strchr("-_.", *name)) {
            return false;
        }
    }
    return true;
}

/* Where the name is, or should be. */
static size_t names_position(const struct tls_names *names, const char *name, bool *out_found)
{
    size_t low = 0;
    size_t high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcasecmp(names->names[middle].name, name);

        if (order == 0) {
            *out_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found = false;
    return low;
}

bool tls_names_add(struct tls_names *names, const char *name, struct tls_context *context)
{
    struct tls_name *grown;
    char *copy;
    bool found;
    size_t at = names_position(names, name, &found);

    if (!tls_names_valid(name)) {
        return false;
    }
    if (found) {
        tls_context_free(names->names[at].context);
        names->names[at].context = tls_context_ref(context);
        return true;
    }
    copy = strdup(name);
    grown = realloc(names->names, (names->count + 1) * sizeof *grown);
    if (!copy || !grown) {
        names->names = grown ? grown : names->names;
        free(copy);
        return false;
    }
    names->names = grown;
    memmove(grown + at + 1, grown + at, (names->count - at) * sizeof *grown);
    grown[at] = (struct tls_name){.name = copy, .context = tls_context_ref(context)};
    names->count++;
    return true;
}

void tls_names_clear(struct tls_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i].name);
        tls_context_free(names->names[i].context);
    }
    free(names->names);
    *names = (struct tls_names){0};
}

struct tls_context *tls_names_find(const struct tls_names *names, const char *name)
{
    char wildcard[NAME_BYTES_MAX + 1] = "*";
    const char *rest;
    bool found;
    size_t at;

    if (!name || names->count == 0 || strlen(name) > NAME_BYTES_MAX) {
        return NULL;
    }
    at = names_position(names, name, &found);
    if (found) {
        return names->names[at].context;
    }
    rest = strchr(name, '.');
    if (!rest || rest == name) {
        return NULL;
    }
    strcpy(wildcard + 1, rest);
    at = names_position(names, wildcard, &found);
    return found ? names->names[at].context : NULL;
}
