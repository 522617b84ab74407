/* What was negotiated, in the words of IANA's registries. */
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "tls/internal.h"
#include "tls/openssl_compat.h"

/* IANA's SignatureScheme names (RFC 8446 4.2.3) by OpenSSL's key type and digest. TLS 1.2 leaves an
 * ECDSA key's curve open; the code point is the same, and so is the name. */
static const struct {
    int type_nid;
    int digest_nid;
    const char *name;
} schemes[] = {
    {EVP_PKEY_RSA, NID_sha256, "rsa_pkcs1_sha256"},
    {EVP_PKEY_RSA, NID_sha384, "rsa_pkcs1_sha384"},
    {EVP_PKEY_RSA, NID_sha512, "rsa_pkcs1_sha512"},
    {EVP_PKEY_RSA, NID_sha1, "rsa_pkcs1_sha1"},
    {EVP_PKEY_RSA, NID_md5_sha1, "rsa_pkcs1_md5_sha1"},
    {EVP_PKEY_RSA_PSS, NID_sha256, "rsa_pss_rsae_sha256"},
    {EVP_PKEY_RSA_PSS, NID_sha384, "rsa_pss_rsae_sha384"},
    {EVP_PKEY_RSA_PSS, NID_sha512, "rsa_pss_rsae_sha512"},
    {EVP_PKEY_EC, NID_sha256, "ecdsa_secp256r1_sha256"},
    {EVP_PKEY_EC, NID_sha384, "ecdsa_secp384r1_sha384"},
    {EVP_PKEY_EC, NID_sha512, "ecdsa_secp521r1_sha512"},
    {EVP_PKEY_EC, NID_sha1, "ecdsa_sha1"},
    {EVP_PKEY_ED25519, NID_undef, "ed25519"},
    {EVP_PKEY_ED448, NID_undef, "ed448"},
};

static void name_set(char out[TLS_NAME_BYTES], const char *name)
{
    snprintf(out, TLS_NAME_BYTES, "%s", name != NULL ? name : "");
}

static void group_set(SSL *ssl, char out[TLS_NAME_BYTES])
{
    /* A resumed TLS 1.2 session remembers the group of long ago; nothing was exchanged now. */
    if (SSL_get_session(ssl) == NULL) {
        return; /* before the hellos; OpenSSL 3.0 would look into it all the same */
    }
    if (SSL_version(ssl) >= TLS1_3_VERSION || !SSL_session_reused(ssl)) {
        name_set(out, compat_group_name(ssl));
    }
}

static void signature_set(SSL *ssl, char out[TLS_NAME_BYTES])
{
    int type_nid = NID_undef;
    int digest_nid = NID_undef;
    const char *name;

    /* The types fail where nothing was signed: resumption, and RSA key exchange. */
    if (SSL_session_reused(ssl) ||
        !(SSL_is_server(ssl) ? SSL_get_signature_type_nid(ssl, &type_nid)
                             : SSL_get_peer_signature_type_nid(ssl, &type_nid))) {
        return;
    }
    if (SSL_is_server(ssl)) {
        SSL_get_signature_nid(ssl, &digest_nid);
    } else {
        SSL_get_peer_signature_nid(ssl, &digest_nid);
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (schemes[i].type_nid == type_nid && schemes[i].digest_nid == digest_nid) {
            name_set(out, schemes[i].name);
            return;
        }
    }
    name = compat_signature_name(ssl);
    name_set(out, name != NULL ? name : OBJ_nid2sn(type_nid));
}

static void key_set(SSL *ssl, char out[TLS_NAME_BYTES])
{
    X509 *certificate =
        SSL_is_server(ssl) ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
    EVP_PKEY *key = certificate != NULL ? X509_get0_pubkey(certificate) : NULL;
    char curve[TLS_NAME_BYTES];
    const char *nist;

    if (key == NULL) {
        return;
    }
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        snprintf(out, TLS_NAME_BYTES, "RSA %d", EVP_PKEY_get_bits(key));
        break;
    case EVP_PKEY_EC:
        if (!EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL)) {
            name_set(out, "EC");
            break;
        }
        nist = EC_curve_nid2nist(OBJ_txt2nid(curve));
        snprintf(out, TLS_NAME_BYTES, "EC %.*s", TLS_NAME_BYTES - 4, nist != NULL ? nist : curve);
        break;
    case EVP_PKEY_ED25519:
        name_set(out, "Ed25519");
        break;
    default:
        name_set(out, EVP_PKEY_get0_type_name(key));
        break;
    }
}

void tls_engine_facts(const struct tls_engine *engine, struct tls_facts *out)
{
    const SSL_CIPHER *suite;
    const uint8_t *alpn;
    unsigned alpn_bytes;

    *out = (struct tls_facts){0};
    if (engine->ssl == NULL) {
        return;
    }
    suite = SSL_get_current_cipher(engine->ssl);
    SSL_get0_alpn_selected(engine->ssl, &alpn, &alpn_bytes);
    if (alpn_bytes == 0) {
        compat_npn_get(engine->ssl, &alpn, &alpn_bytes);
    }
    name_set(out->version, SSL_get_version(engine->ssl));
    name_set(out->suite, suite != NULL ? SSL_CIPHER_standard_name(suite) : NULL);
    group_set(engine->ssl, out->group);
    signature_set(engine->ssl, out->signature);
    key_set(engine->ssl, out->certificate);
    if (alpn_bytes > 0) {
        snprintf(out->alpn, sizeof(out->alpn), "%.*s", (int)alpn_bytes, (const char *)alpn);
    }
    tls_engine_resumed(engine, &out->resumption);
}
