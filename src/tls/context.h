/* A frozen TLS configuration that connections are made from. One for each worker: OpenSSL's own
 * locks on a shared SSL_CTX are then never contended. Ticket keys and the session store are what
 * workers share. */
#pragma once

#include "tls/config.h"

struct error;
struct replay_guard;
struct session_store;
struct tls_context; /* opaque */
struct ticket_ring;

/* A worker's own instance of OpenSSL, for the contexts of its thread: its look-ups take no lock
 * that another worker holds, and it derives keys without their overhead (provider.h). It
 * takes 250 KiB and 1.3 ms.
 *
 * NULL, also when it cannot be had, is OpenSSL's default instance. That is the one that a process
 * shall use which is configured to use other providers than OpenSSL's default one (FIPS, a token).
 */
struct tls_library *tls_library_new(void);
/* After the contexts, the engines and the sessions taken from them; and by the thread that had the
 * engines, or after its end: OpenSSL keeps a random generator there that looks into the library
 * when the thread ends. Any thread may make contexts in it. NULL: nothing. */
void tls_library_free(struct tls_library *library);

/* What the server contexts of all workers have in common; each may be NULL (OpenSSL's own keys, no
 * session IDs, no early data, its default instance). Must outlive the context. */
struct tls_shared {
    struct ticket_ring *tickets;
    struct session_store *sessions;
    struct replay_guard *replays;
    /* Not of all, but of the one worker that the context is for; of either role. */
    struct tls_library *library;
};

/* Reads the files; NULL and a sentence that names the file or option on failure. Server contexts
 * from the same configuration and the same certificates resume each other's sessions, others never
 * do. Context and engines belong to one thread at a time; the engines must be gone before the
 * context. */
struct tls_context *tls_context_new(enum tls_role role, const struct tls_config *config,
                                    const struct tls_shared *shared, struct error *error);
/* Whoever keeps a context beyond the call, a connection for instance, takes a reference and gives
 * it back with tls_context_free(). All references belong to one thread at a time. */
struct tls_context *tls_context_ref(struct tls_context *context); /* NULL: NULL */
void tls_context_free(struct tls_context *context);               /* NULL: nothing */

/* Plaintext bytes that connections made from it put into a record at most. */
unsigned tls_context_max_send_fragment(const struct tls_context *context);

/* What is wrong but no error, such as an expired certificate: sentences that name file or option,
 * divided by "; ". NULL when all is well. */
const char *tls_context_warning(const struct tls_context *context);

/* The version of the OpenSSL that runs, as it names itself: "OpenSSL 3.0.22 25 Aug 2026". */
const char *tls_library_version(void);
/* Likewise of the libsodium that makes X25519's keys in a tls_library. */
const char *tls_sodium_version(void);

/* Where OpenSSL finds the system's roots: SSL_CERT_FILE and SSL_CERT_DIR, or what it was built
 * with. It reads the directory's files as it needs them. */
const char *tls_default_roots_file(void);
const char *tls_default_roots_directory(void);

enum {
    TLS_FRAGMENT_BYTES_MIN = 512, /* OpenSSL's lower bound, SSL_CTX_set_max_send_fragment(3) */
    TLS_PLAINTEXT_BYTES_MAX = 16384,
    /* Room for tls_engine_read() in which every record can be opened in place: in TLS 1.3 its type
     * is behind the plaintext. */
    TLS_READ_BYTES = TLS_PLAINTEXT_BYTES_MAX + 1,
    TLS_WIRE_RECORD_BYTES_MAX =
        16384 + 2048 + 5, /* with header, MAC and padding (RFC 5246 6.2.3) */
};
