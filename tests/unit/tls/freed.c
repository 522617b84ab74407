#include "freed.h"

#include <malloc.h>
#include <string.h>

static const void *secret; /* NULL: nothing is watched for */
static size_t secret_bytes;
static bool seen;

void __real_free(void *block);
void __wrap_free(void *block);

void __wrap_free(void *block)
{
    if (secret != NULL && block != NULL &&
        memmem(block, malloc_usable_size(block), secret, secret_bytes) != NULL) {
        seen = true;
    }
    __real_free(block);
}

void freed_watch(const void *watched, size_t bytes)
{
    secret = watched;
    secret_bytes = bytes;
    seen = false;
}

bool freed_with_secret(void)
{
    secret = NULL;
    return seen;
}
