/* Random bytes in stock. OpenSSL's generators ask the kernel for the process's ID at each call, to
 * find out whether it has forked, and step on: some 2 us for the 4 to 32 bytes that a handshake
 * takes, six times at a server. These are drawn in larger pieces, from the same generators.
 *
 * Nothing is given out twice: what is taken is overwritten, each thread has its own, and the kernel
 * empties a child's (MADV_WIPEONFORK of madvise(2)), which then draws anew. Who could read what
 * lies here could read the generator, too, and know the same from it. Room-internal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/core.h>

/* Draws from the generator that `generator` stands for; false: it has failed. */
typedef bool reserve_fill(void *generator, uint8_t *out, size_t bytes);

/* Bytes that nobody has seen, of `generator`, whose reserve is no other's. False: it has failed. */
bool reserve_take(void *generator, reserve_fill *fill, uint8_t *out, size_t bytes);

/* As RAND_bytes(3) and RAND_priv_bytes(3) of the process. */
bool reserve_public(uint8_t *out, size_t bytes);
bool reserve_private(uint8_t *out, size_t bytes);

/* Takes the place of a generator's function that generates, in the default provider. Once in a
 * process; false: it is not such as it takes, and `generator` stays as it is. */
bool reserve_replace(OSSL_ALGORITHM *generator);
