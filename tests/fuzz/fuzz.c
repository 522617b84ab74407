#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->count == 0) {
        return 0;
    }
    input->count--;
    return *input->bytes++;
}

unsigned fuzz_number(struct fuzz_input *input, unsigned limit)
{
    unsigned high = fuzz_byte(input);

    return (high << 8 | fuzz_byte(input)) % limit;
}

uint8_t *fuzz_copy(struct fuzz_input *input, size_t count, size_t *out_count)
{
    uint8_t *copy;

    *out_count = count < input->count ? count : input->count;
    copy = malloc(*out_count);
    FUZZ_EXPECT(copy || *out_count == 0);
    if (*out_count > 0) {
        memcpy(copy, input->bytes, *out_count);
    }
    input->bytes += *out_count;
    input->count -= *out_count;
    return copy;
}

char *fuzz_text(struct fuzz_input *input)
{
    char *text = strndup((const char *)input->bytes, input->count);
    size_t used;

    FUZZ_EXPECT(text);
    used = strlen(text);
    used += used < input->count; /* the zero byte */
    input->bytes += used;
    input->count -= used;
    return text;
}

const char *fuzz_file(struct fuzz_input *input)
{
    static int descriptor = -1;
    static char path[64];

    if (descriptor < 0) {
        descriptor = memfd_create("input", MFD_CLOEXEC);
        FUZZ_EXPECT(descriptor >= 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    FUZZ_EXPECT(ftruncate(descriptor, 0) == 0);
    FUZZ_EXPECT(pwrite(descriptor, input->bytes, input->count, 0) == (ssize_t)input->count);
    input->bytes += input->count;
    input->count = 0;
    return path;
}
