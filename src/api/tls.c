/* The TLS side of sockets and pairs: the engine, in the public header's words. */
#include <stdio.h>
#include <string.h>

#include "api/api.h"

static struct tls_engine *engine_of(const struct dyno_tls *tls)
{
    return (struct tls_engine *)(void *)(uintptr_t)tls;
}

static void copy_text(char *out, size_t out_bytes, const char *text)
{
    snprintf(out, out_bytes, "%s", text ? text : "");
}

void dyno_tls_facts(const struct dyno_tls *tls, struct dyno_facts *out)
{
    const struct tls_engine *engine = engine_of(tls);
    struct tls_facts facts;

    tls_engine_facts(engine, &facts);
    *out = (struct dyno_facts){
        .session_reused = facts.resumption != TLS_FULL,
        .early_data_accepted = tls_engine_early(engine) == TLS_EARLY_ACCEPTED,
    };
    copy_text(out->version, sizeof out->version, facts.version);
    copy_text(out->cipher, sizeof out->cipher, facts.suite);
    copy_text(out->group, sizeof out->group, facts.group);
    copy_text(out->signature, sizeof out->signature, facts.signature);
    copy_text(out->certificate, sizeof out->certificate, facts.certificate);
    copy_text(out->protocol, sizeof out->protocol, facts.alpn);
    copy_text(out->server_name, sizeof out->server_name, tls_engine_server_name(engine));
}

bool dyno_tls_authorized(const struct dyno_tls *tls, const char **out_reason)
{
    const char *reason = NULL;
    bool authorized = tls_engine_authorized(engine_of(tls), &reason);

    if (out_reason) {
        *out_reason = authorized ? NULL : reason;
    }
    return authorized;
}

bool dyno_tls_peer_certificate(struct dyno_tls *tls, unsigned depth, struct dyno_certificate *out)
{
    struct tls_peer_certificate found;

    *out = (struct dyno_certificate){0};
    if (!tls_engine_peer_certificate(engine_of(tls), depth, &found)) {
        return false;
    }
    copy_text(out->subject, sizeof out->subject, found.subject);
    copy_text(out->issuer, sizeof out->issuer, found.issuer);
    copy_text(out->valid_from, sizeof out->valid_from, found.valid_from);
    copy_text(out->valid_to, sizeof out->valid_to, found.valid_to);
    copy_text(out->fingerprint_sha1, sizeof out->fingerprint_sha1, found.fingerprint_sha1);
    copy_text(out->fingerprint_sha256, sizeof out->fingerprint_sha256, found.fingerprint_sha256);
    copy_text(out->serial, sizeof out->serial, found.serial);
    copy_text(out->names, sizeof out->names, found.names);
    out->der = found.der;
    out->der_bytes = found.der_bytes;
    return true;
}

size_t dyno_tls_session(const struct dyno_tls *tls, void *out, size_t out_max)
{
    const struct tls_session *session = engine_of(tls)->new_session;

    return session ? tls_session_serialise(session, out, out_max) : 0;
}

size_t dyno_tls_ticket(const struct dyno_tls *tls, void *out, size_t out_max)
{
    const struct tls_session *session = engine_of(tls)->new_session;
    size_t bytes = 0;
    const uint8_t *ticket = session ? tls_session_ticket(session, &bytes) : NULL;

    if (!ticket) {
        return 0;
    }
    if (bytes <= out_max) {
        memcpy(out, ticket, bytes);
    }
    return bytes;
}

bool dyno_tls_export(const struct dyno_tls *tls, const char *label, const void *context,
                     size_t context_bytes, void *out, size_t out_bytes)
{
    return tls_engine_export(engine_of(tls), label, context, context_bytes, out, out_bytes);
}

size_t dyno_tls_finished(const struct dyno_tls *tls, bool peers, void *out, size_t out_max)
{
    return tls_engine_finished(engine_of(tls), peers, out, out_max);
}

const char *dyno_version(void)
{
    return TLSDYNO_VERSION;
}

const char *dyno_openssl_version(void)
{
    return tls_library_version();
}

void dyno_list(enum dyno_list list,
               void (*each)(void *user, const char *name, const char *versions, const char *note),
               void *user)
{
    static const enum tls_list lists[] = {
        [DYNO_LIST_CIPHERS] = TLS_LIST_CIPHERS,
        [DYNO_LIST_GROUPS] = TLS_LIST_GROUPS,
        [DYNO_LIST_SIGNATURES] = TLS_LIST_SIGNATURES,
    };

    tls_list(lists[list], each, user);
}
