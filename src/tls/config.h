/* What a person may say about TLS: plain data, borrowed strings, zero is the default everywhere.
 * tls_context_new() reads it once; nothing keeps it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_CERTIFICATES_MAX = 8, TLS_EMPTY_RECORDS_MAX = 32 };

enum tls_role { TLS_SERVER, TLS_CLIENT };

enum tls_version {
    TLS_VERSION_DEFAULT = 0, /* 1.2 as the minimum, 1.3 as the maximum */
    TLS_VERSION_1_0 = 0x0301,
    TLS_VERSION_1_1 = 0x0302,
    TLS_VERSION_1_2 = 0x0303,
    TLS_VERSION_1_3 = 0x0304,
};

/* Who seals and opens records of data once a connection is open: this room, which copies less; or
 * OpenSSL, which does it with all others. The former only where a library is lent (context.h), for
 * TLS 1.3 and 1.2 with AES-GCM or ChaCha20-Poly1305; else it is OpenSSL. Peers cannot tell. */
enum tls_record_layer { TLS_RECORDS_DIRECT, TLS_RECORDS_OPENSSL };

struct error;

struct tls_config {
    /* PEM chains and their keys, pairwise; files or, where the file is NULL, memory. At most one
     * for each type of key (RSA, EC, Ed25519 ...): the client's signature algorithms choose. A
     * server needs one. */
    struct {
        const char *certificate_file;
        const char *key_file;
        const char *certificate_pem;
        const char *key_pem;
    } certificates[TLS_CERTIFICATES_MAX];
    size_t certificate_count;

    /* PKCS#12 (RFC 7292): key, chain and roots in one; excludes certificates and ca. Without roots
     * in it the system's are trusted. */
    const char *pfx_file;
    const uint8_t *pfx; /* DER, when the file is NULL */
    size_t pfx_bytes;
    const char *passphrase; /* of encrypted keys and the PKCS#12; NULL: none. Never asked for */

    /* PEM roots, a file or a directory; NULL: the system's default store. A server that asks for a
     * certificate names them. */
    const char *ca_file;
    const char *ca_pem;
    /* PEM CRLs, a file or a directory; then every certificate of a peer's chain is looked up. */
    const char *crl_file;
    const char *crl_pem;
    const char *dhparam; /* DHE in TLS 1.2: a PEM file, or "auto"; NULL: no DHE */
    const char *dhparam_pem;
    uint64_t options; /* SSL_OP_* bits to set besides ours: see tls_options_parse() */
    const char *npn;  /* ALPN's predecessor, comma-separated; NULL: off */

    /* Server: ask for the client's certificate; and end the handshake when it is missing or bad. */
    bool request_certificate;
    bool require_certificate;
    /* Server: 0-RTT bytes to accept at most, each ticket once, for which tls_shared needs a
     * replay_guard; 0: none.
     * Client: whether to send early data is the engine's tls_engine_write_early(). */
    uint32_t early_data_bytes_max;
    /* Server: DER OCSP response to staple; NULL: none, or by tls_engine_answer_staple(). */
    const uint8_t *ocsp_response;
    size_t ocsp_response_bytes;
    bool request_ocsp; /* client: ask for a staple (RFC 6066 8) */
    /* TLS <= 1.2 renegotiations that the peer may start in one window, and requests for the
     * client's certificate in TLS 1.3; one more ends the connection. Of KeyUpdates, which
     * cost little, there may be 32 times as many. 0: 3 and 600 s. */
    uint32_t renegotiation_limit;
    uint32_t renegotiation_window_s;
    bool no_renegotiation; /* the first one already ends the connection; KeyUpdates stay */
    /* Records in a row that bring neither data nor a handshake message, such as empty ones and
     * warnings; one more ends the connection. 0, and more than OpenSSL's own limit: that. */
    uint32_t empty_record_limit;
    bool no_empty_records; /* the first one already ends it */
    /* NSS key log lines, without the newline; on the connection's thread. NULL: none. */
    void (*on_keylog)(void *user, const char *line);
    void *keylog_user;

    const char *ciphers;      /* OpenSSL cipher list, TLS <= 1.2 */
    const char *ciphersuites; /* TLS 1.3 suites, colon-separated */
    /* Key-exchange groups in order of preference; "none": no ECDHE in TLS 1.2, and OpenSSL's in TLS
     * 1.3, which knows no other key exchange. */
    const char *groups;
    const char *sigalgs;
    const char *alpn; /* comma-separated protocols in order of preference */
    /* NULL: derived from the configuration. It may join servers that differ in what they negotiate
     * and in their certificates, but never those that verify clients differently. */
    const char *session_id_context;
    enum tls_version version_min; /* below 1.2 it lowers OpenSSL's security level to 0 */
    enum tls_version version_max; /* the default minimum follows it down */
    uint32_t session_timeout_s;   /* 0: 7200 */
    uint32_t ticket_count;        /* TLS 1.3 tickets after a full handshake; 0: 1 */
    uint32_t max_send_fragment;   /* 512-16384 bytes of plaintext a record; 0: 16384 */
    /* Then TLS <= 1.2 resumes by session ID, and TLS 1.3 only from a store that answers
     * TLS_WANT_SESSION. */
    bool no_tickets;
    bool client_preference; /* server: the client's cipher order decides */
    bool insecure;          /* client: accept any certificate */
    bool no_verification;   /* insecure: do not even look, so that nobody is ever authorized */
    /* OpenSSL's default instance, with its own keys and derivations, even where a library is lent
     * (context.h): to measure the one by the other. */
    bool stock_key_schedule;
    enum tls_record_layer record_layer;
};

/* "1.2", "TLSv1.2", "TLS1.3" ... Returns -1 and says which versions there are otherwise; SSLv2 and
 * SSLv3 are refused by name. */
int tls_version_parse(const char *text, enum tls_version *out_version, struct error *error);
const char *tls_version_name(enum tls_version version);

/* "openssl" or "direct". Returns 0 or -1. */
int tls_record_layer_parse(const char *text, enum tls_record_layer *out_layer, struct error *error);
const char *tls_record_layer_name(enum tls_record_layer layer);

/* "TLSv1_2_method", "TLS_method", "SSLv23_client_method" ...: the versions that a method name of
 * the classic API stands for. Returns 0 or -1. */
int tls_method_parse(const char *text, enum tls_version *out_min, enum tls_version *out_max,
                     struct error *error);

/* "no-ticket,prioritize-chacha" or a number (0x4000): SSL_OP_* bits (SSL_CTX_set_options(3)). An
 * unknown name is an error that lists the known ones. */
int tls_options_parse(const char *text, uint64_t *out_options, struct error *error);

/* What the OpenSSL that runs can do. Calls `each` with a name ("TLS_AES_128_GCM_SHA256"), the
 * versions it is good for ("TLSv1.3") and a note ("128 bits") for each; any order but the
 * library's. */
enum tls_list { TLS_LIST_CIPHERS, TLS_LIST_GROUPS, TLS_LIST_SIGNATURES };
void tls_list(enum tls_list what,
              void (*each)(void *user, const char *name, const char *versions, const char *note),
              void *user);
