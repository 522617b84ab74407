/* Reading a ClientHello before OpenSSL does. What is malformed counts as absent here: OpenSSL will
 * find the right alert for it. */
#include "tls/hello.h"

#include <string.h>

/* A view of a part of a message: the reads fail on what is too short. */
struct view {
    const uint8_t *at;
    size_t left;
};

static bool view_number(struct view *view, size_t bytes, size_t *out)
{
    *out = 0;
    if (view->left < bytes) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        *out = *out << 8 | view->at[i];
    }
    view->at += bytes;
    view->left -= bytes;
    return true;
}

/* A vector with a length of `length_bytes` before it (RFC 8446 3.4). */
static bool view_vector(struct view *view, size_t length_bytes, struct view *out)
{
    size_t length;

    if (!view_number(view, length_bytes, &length) || view->left < length) {
        return false;
    }
    *out = (struct view){view->at, length};
    view->at += length;
    view->left -= length;
    return true;
}

static bool extension_find(SSL *ssl, unsigned type, struct view *out)
{
    return SSL_client_hello_get0_ext(ssl, type, &out->at, &out->left) == 1;
}

/* RFC 6066 3. OpenSSL will complain about a malformed one itself. */
bool tls_hello_server_name(SSL *ssl, char out[TLS_SERVER_NAME_BYTES])
{
    struct view extension;
    struct view list;
    struct view name;
    size_t type;

    if (!extension_find(ssl, TLSEXT_TYPE_server_name, &extension) ||
        !view_vector(&extension, 2, &list) || !view_number(&list, 1, &type) ||
        type != TLSEXT_NAMETYPE_host_name || !view_vector(&list, 2, &name) || name.left == 0 ||
        name.left > TLS_SERVER_NAME_BYTES - 1 || memchr(name.at, '\0', name.left) != NULL) {
        return false;
    }
    memcpy(out, name.at, name.left);
    out[name.left] = '\0';
    return true;
}

static bool will_be_tls_1_3(SSL *ssl)
{
    int max = (int)SSL_get_max_proto_version(ssl);
    struct view extension;
    struct view versions;
    size_t version;

    if ((max != 0 && max < TLS1_3_VERSION) || (SSL_get_options(ssl) & SSL_OP_NO_TLSv1_3) != 0 ||
        !extension_find(ssl, TLSEXT_TYPE_supported_versions, &extension) ||
        !view_vector(&extension, 1, &versions)) {
        return false;
    }
    while (view_number(&versions, 2, &version)) {
        if (version == TLS1_3_VERSION) {
            return true;
        }
    }
    return false;
}

/* A stateful TLS 1.3 ticket is nothing but a session ID (RFC 8446 4.2.11). */
static bool psk_id_find(SSL *ssl, struct view *out)
{
    struct view extension;
    struct view identities;
    size_t age;

    if ((SSL_get_options(ssl) & SSL_OP_NO_TICKET) == 0 ||
        !extension_find(ssl, TLSEXT_TYPE_psk, &extension) ||
        !view_vector(&extension, 2, &identities)) {
        return false;
    }
    while (view_vector(&identities, 2, out) && view_number(&identities, 4, &age)) {
        if (out->left == SSL_MAX_SSL_SESSION_ID_LENGTH) {
            return true;
        }
    }
    return false;
}

bool tls_hello_session_id(SSL *ssl, uint8_t out[SSL_MAX_SSL_SESSION_ID_LENGTH], size_t *out_bytes)
{
    struct view id;
    struct view ticket;

    if (will_be_tls_1_3(ssl)) {
        if (!psk_id_find(ssl, &id)) {
            return false;
        }
    } else {
        /* A ticket goes before the ID, which a client makes up to tell that it was accepted (RFC
         * 5077 3.4). */
        if ((SSL_get_options(ssl) & SSL_OP_NO_TICKET) == 0 &&
            extension_find(ssl, TLSEXT_TYPE_session_ticket, &ticket) && ticket.left > 0) {
            return false;
        }
        id.left = SSL_client_hello_get0_session_id(ssl, &id.at);
    }
    if (id.left == 0 || id.left > SSL_MAX_SSL_SESSION_ID_LENGTH) {
        return false;
    }
    memcpy(out, id.at, id.left);
    *out_bytes = id.left;
    return true;
}
