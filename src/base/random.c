#include "base/random.h"

#include <endian.h>
#include <string.h>

void random_fill(struct random *random, void *bytes, size_t count)
{
    uint8_t *next = bytes;

    while (count > 0) {
        uint64_t word = htole64(random_next(random));
        size_t step = count < sizeof(word) ? count : sizeof(word);

        memcpy(next, &word, step);
        next += step;
        count -= step;
    }
}
