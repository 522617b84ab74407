/* Two real engines through memory, of which one is given what the input makes of the other's bytes:
 * cut, flipped, dropped, repeated, made up. A fuzzer of plain bytes would never come past the first
 * record; this one starts from an exchange that is good.
 *
 * The input is a program: the first byte chooses the contexts, the others are steps. Randomness is
 * the same in every run, so that an input means the same every time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Never is anything read at the victim but what the other one wrote, in order. */
void exchange_run(const uint8_t *bytes, size_t count, bool victim_is_server);
