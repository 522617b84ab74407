/* Looks at memory as it is freed (the linker's --wrap=free): whether a secret is still in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From now on; the bytes stay the caller's. */
void freed_watch(const void *secret, size_t bytes);
/* Whether a block went back with the secret in it since then. Ends the watch. */
bool freed_with_secret(void);
