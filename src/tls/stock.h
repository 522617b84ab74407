/* A library context (OSSL_LIB_CTX(3)) that is only used for TLS, with OpenSSL's default provider.
 * Room-internal. */
#pragma once

#include <openssl/types.h>

struct stock;

struct stock *stock_new(void); /* NULL: it cannot be had */
OSSL_LIB_CTX *stock_context(const struct stock *stock);

/* The calling thread gives back what OpenSSL keeps for it. */
void stock_leave(const struct stock *stock);

/* Not before everything that came from the context is gone. NULL: nothing. */
void stock_free(struct stock *stock);
