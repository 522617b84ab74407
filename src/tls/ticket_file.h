/* Ticket keys as other programs write them: bytes, and files of them. Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct ticket_key;
struct ticket_key_set;

enum { TICKET_KEY_BYTES_SHORT = 48, TICKET_KEY_BYTES_LONG = 80 };

/* 16 bytes of name, then two halves: the HMAC key and the AES key. False when `count` is neither
 * 48 nor 80. */
bool ticket_key_parse(const uint8_t *bytes, size_t count, struct ticket_key *out);

/* The keys of a file as ticket_ring_load() understands it. Returns 0, or -1 and a sentence; the
 * caller cleanses the set in either case. */
int ticket_file_read(const char *file, struct ticket_key_set *out, struct error *error);
