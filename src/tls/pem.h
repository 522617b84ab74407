/* PEM texts from files, directories and memory. Room-internal. */
#pragma once

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct error;

/* Where a text is, and what errors call it by. */
struct pem_source {
    const char *what; /* "certificate", "key", "CA" ... */
    const char *file; /* or, when it is NULL, */
    const char *memory;
    const char *passphrase; /* of keys; NULL: none */
    bool directory;         /* the file may be one: then every file in it that has such objects */
};

/* For errors: the file, or that it is memory. */
const char *pem_source_name(const struct pem_source *source);

/* All certificates, or all CRLs, in order; the files of a directory in the order of their names.
 * NULL and a sentence when there is none or one of them is malformed. */
STACK_OF(X509) * pem_certificates(const struct pem_source *source, struct error *error);
STACK_OF(X509_CRL) * pem_crls(const struct pem_source *source, struct error *error);

/* The first private key, or the first parameters of a key exchange; NULL and a sentence. Never
 * prompts for a passphrase. */
EVP_PKEY *pem_key(const struct pem_source *source, struct error *error);
EVP_PKEY *pem_parameters(const struct pem_source *source, struct error *error);
