/* Which context serves which server name (SNI, RFC 6066 3): exact names, and wildcards for one
 * label as certificates have them (RFC 6125 6.4.3). Holds references. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct tls_name;

struct tls_names {          /* zeroed: empty */
    struct tls_name *names; /* sorted */
    size_t count;
};

/* Whether tls_names_add() would take the name. */
bool tls_names_valid(const char *name);

/* "www.example.org" or "*.example.org", any case; replaces an earlier entry of the same name.
 * Returns false when memory is out or the name is not one. */
bool tls_names_add(struct tls_names *names, const char *name, struct tls_context *context);
void tls_names_clear(struct tls_names *names);

/* The exact name's, else the wildcard's, else NULL. `name` NULL: NULL. */
struct tls_context *tls_names_find(const struct tls_names *names, const char *name);
