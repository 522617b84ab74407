/* What a person may say about TLS: plain data, borrowed strings, zero is the default everywhere.
 * tls_context_new() reads it once; nothing keeps it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLS_CERTIFICATES_MAX = 8 };

enum tls_role { TLS_SERVER, TLS_CLIENT };

enum tls_version {
    TLS_VERSION_DEFAULT = 0, /* 1.2 as the minimum, 1.3 as the maximum */
    TLS_VERSION_1_0 = 0x0301,
    TLS_VERSION_1_1 = 0x0302,
    TLS_VERSION_1_2 = 0x0303,
    TLS_VERSION_1_3 = 0x0304,
};

struct error;

struct tls_config {
    /* PEM chains and their keys, pairwise; files or, where the file is NULL, memory. One for each
     * type of key: the client's signature algorithms choose. A server needs one. */
    struct {
        const char *certificate_file;
        const char *key_file;
        const char *certificate_pem;
        const char *key_pem;
    } certificates[TLS_CERTIFICATES_MAX];
    size_t certificate_count;

    const char *ca_file; /* PEM roots; NULL: the system's default store */
    const char *ca_pem;
    const char *ciphers;      /* OpenSSL cipher list, TLS <= 1.2 */
    const char *ciphersuites; /* TLS 1.3 suites, colon-separated */
    const char *groups;       /* key-exchange groups in order of preference */
    const char *sigalgs;
    const char *alpn;               /* comma-separated protocols in order of preference */
    const char *session_id_context; /* NULL: derived from the configuration */
    enum tls_version version_min;   /* below 1.2 it lowers OpenSSL's security level to 0 */
    enum tls_version version_max;   /* the default minimum follows it down */
    uint32_t session_timeout_s;     /* 0: 7200 */
    uint32_t ticket_count;          /* TLS 1.3 tickets after a full handshake; 0: 1 */
    uint32_t max_send_fragment;     /* 512-16384 bytes of plaintext a record; 0: 16384 */
    bool no_tickets;        /* then TLS <= 1.2 resumes by session ID, and TLS 1.3 not at all */
    bool client_preference; /* server: the client's cipher order decides */
    bool insecure;          /* client: accept any certificate */
};

/* "1.2", "TLSv1.2", "TLS1.3" ... Returns -1 and says which versions there are otherwise; SSLv2 and
 * SSLv3 are refused by name. */
int tls_version_parse(const char *text, enum tls_version *out_version, struct error *error);
const char *tls_version_name(enum tls_version version);
