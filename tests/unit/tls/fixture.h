/* A configuration that is right, for each test to break in one place. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "tls/certificate.h"
#include "tls/config.h"
#include "tls/context.h"

struct fixture {
    struct certificate *certificate; /* the server's, which its own client trusts */
    struct tls_config config;        /* of a server */
};

struct fixture fixture_make(void);
void fixture_free(struct fixture *fixture);

bool fixture_accepted(const struct fixture *fixture, struct error *error);
/* Accepted without a warning, or with one that has the word in it. */
void fixture_expect(const struct fixture *fixture, const char *warning);
/* Refused with a sentence in which both words occur. */
void fixture_refuse(const struct fixture *fixture, const char *word, const char *other);

/* The same for any role. */
void fixture_expect_role(enum tls_role role, const struct tls_config *config, const char *warning);
void fixture_refuse_role(enum tls_role role, const struct tls_config *config, const char *word,
                         const char *other);

enum { FIXTURE_PATH_BYTES = 64 };

/* A new file with that text, which the caller unlinks. */
void fixture_file(char out_path[FIXTURE_PATH_BYTES], const char *text);
/* A new directory, and a file in it. */
void fixture_directory(char out_path[FIXTURE_PATH_BYTES]);
void fixture_put(const char *directory, const char *name, const char *text);
void fixture_remove(const char *directory); /* with the files in it */
