/* The functions of an algorithm of a provider's (OSSL_DISPATCH): one of them, or one of ours among
 * them.
 * Room-internal. */
#pragma once

#include <stddef.h>

#include <openssl/core.h>

enum { DISPATCH_MAX = 32 };

/* The entry of number `id`; if there is none, the one that ends them all, whose function is NULL.
 */
static inline const OSSL_DISPATCH *dispatch_find(const OSSL_DISPATCH *functions, int id)
{
    while (functions->function_id != 0 && functions->function_id != id) {
        functions++;
    }
    return functions;
}

/* Copies `functions` to `out`, with `ours` in the place of number `id`. Returns the entry that it
 * took the place of, NULL: there is none, or there are too many of all. */
static inline const OSSL_DISPATCH *dispatch_replace(const OSSL_DISPATCH *functions, int id,
                                                    void (*ours)(void),
                                                    OSSL_DISPATCH out[DISPATCH_MAX])
{
    const OSSL_DISPATCH *replaced = NULL;
    size_t count = 0;

    for (; functions->function_id != 0; functions++) {
        if (count == DISPATCH_MAX - 1) {
            return NULL;
        }
        out[count] = *functions;
        if (functions->function_id == id) {
            replaced = functions;
            out[count].function = ours;
        }
        count++;
    }
    out[count] = (OSSL_DISPATCH){0, NULL};
    return replaced;
}
