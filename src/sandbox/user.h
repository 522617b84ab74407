/* Whom a server that was started as root goes on as. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct error;

enum { USER_NAME_BYTES = 256 };

struct user {
    char name[USER_NAME_BYTES]; /* as given: name or number; "": nobody else */
    uid_t id;
    gid_t group;
    bool has_groups; /* the account's others are taken too */
};

/* NAME[:GROUP], each a name or a number; without a group the account's own. Root is refused.
 * Returns 0, or -1 and a sentence. */
int user_parse(const char *text, struct user *out, struct error *error);

/* All threads, for good, and there is no way back: verified. Returns 0, or -1 and a sentence. */
int user_become(const struct user *user, struct error *error);
