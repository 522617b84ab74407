/* What the targets share. A target is one function, LLVMFuzzerTestOneInput(); libFuzzer's main()
 * calls it with what it makes up, or replay.c's with files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Ends the process, for the fuzzer to notice: in every build. */
#define FUZZ_EXPECT(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fuzz_fail(#condition, __FILE__, __LINE__);                                             \
        }                                                                                          \
    } while (0)
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/* The input, taken from its front. */
struct fuzz_input {
    const uint8_t *bytes;
    size_t count;
};

uint8_t fuzz_byte(struct fuzz_input *input);                    /* 0 when it is used up */
unsigned fuzz_number(struct fuzz_input *input, unsigned limit); /* below it; of two bytes */
/* A copy of the next piece as a text, up to a zero byte or the end. Heap. */
char *fuzz_text(struct fuzz_input *input);
/* A copy of exactly so many bytes (or what is left), so that a sanitizer sees reads beyond. Heap.
 */
uint8_t *fuzz_copy(struct fuzz_input *input, size_t count, size_t *out_count);

/* The rest as a file: a path that is good until the next call. */
const char *fuzz_file(struct fuzz_input *input);
