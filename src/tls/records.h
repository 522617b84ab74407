/* The direct record layer: after the handshake, data records are sealed straight into the output
 * queue and opened straight from what was fed, past OpenSSL's buffers.
 *
 * OpenSSL stays the one authority for everything else: alerts, tickets, KeyUpdates, renegotiation,
 * and each record that is wrong in any way. But its sequence numbers stand still while ours run.
 * So, in a direction that has been taken over, a record for OpenSSL is opened and sealed again with
 * the number that OpenSSL expects, and a record of OpenSSL's with the number that the peer expects.
 * Both have the same keys, so that nothing else differs, and the peer cannot tell.
 *
 * A direction is OpenSSL's after each change of keys, and is taken over when a data record has gone
 * through OpenSSL and it has nothing half done. Room-internal. */
#pragma once

#include "tls/engine.h"
#include "tls/key_schedule.h"
#include "tls/record_cipher.h"
#include "tls/record_gather.h"

struct record_way {                                /* one direction */
    uint8_t secret[KEY_SCHEDULE_DIGEST_BYTES_MAX]; /* TLS 1.3, of the current keys */
    struct record_key key;
    EVP_CIPHER_CTX *cipher; /* for the wire; NULL: made when it is needed */
    uint64_t begin;         /* the tally's count of records when those keys came into use */
    uint64_t sequence;      /* of the next record on the wire, once taken */
    uint64_t ssl_sequence;  /* what OpenSSL takes that for */
    struct record_gather gather;
    bool has_secret;
    bool has_key; /* `key` is of the current ones */
    bool taken;   /* data is ours, all else is sealed again */
    bool ready;   /* nothing speaks against the next record being ours */
};

struct tls_records {
    struct tls_library *library;
    const struct record_form *form; /* of what the first handshake negotiated */
    struct record_way in;
    struct record_way out;
    /* In: what OpenSSL reads next. After that, bytes of the fed span that go to it as they come:
     * the rest of a record that it will refuse by its header alone. */
    uint8_t *lent;
    size_t lent_bytes;
    size_t lent_offset;
    size_t unopened_bytes;
    bool in_leaves; /* after what is lent the peer's keys change */
    /* Out: records that OpenSSL has made and not yet written; after them our keys change when
     * out_leaves, and then those made under the new ones are not counted. */
    uint32_t made;
    bool out_leaves;
    uint64_t explicit_nonce; /* out, the last one, where there is one: OpenSSL's count up, too */
};

void tls_records_free(struct tls_records *records); /* NULL: nothing */

/* Hears the handshake's secrets and messages, from before it begins. */
void tls_records_hear_secret(void *engine, bool of_server, const uint8_t *secret, size_t bytes);
void tls_records_hear_header(struct tls_engine *engine, bool sent);
void tls_records_hear_message(struct tls_engine *engine, bool sent, int content_type, int type);

/* The first handshake is complete. Frees engine->records when what was negotiated is not covered.
 */
void tls_records_begin(struct tls_engine *engine);

/* After data went through OpenSSL, in or out: whether the next may be ours. */
void tls_records_settle_in(struct tls_engine *engine);
void tls_records_settle_out(struct tls_engine *engine);

/* Before any other call into OpenSSL: what is settled may change. */
static inline void tls_records_unsettle(struct tls_records *records)
{
    if (records != NULL) {
        records->in.ready = false;
        records->out.ready = false;
    }
}

/* As tls_engine_read(), once the direction is taken. */
enum tls_status tls_records_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                 size_t *out_count, struct tls_failure_detail *failure);

/* Whether a write may be ours now, and as tls_engine_write() then. */
bool tls_records_may_write(struct tls_engine *engine);
enum tls_status tls_records_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                  struct tls_failure_detail *failure);

/* For our BIO: what OpenSSL reads, once the direction is taken; and what it writes, always. */
size_t tls_records_lend(struct tls_engine *engine, void *out, size_t out_max);
bool tls_records_send(struct tls_engine *engine, const void *bytes, size_t count);

/* Gives the ciphers back until the next record; not the keys. */
void tls_records_idle(struct tls_records *records);

/* For the files of the record layer: the way's cipher; NULL: no memory. */
EVP_CIPHER_CTX *tls_records_cipher(struct tls_records *records, struct record_way *way);
/* The way is OpenSSL's from now on. */
void tls_records_leave(struct record_way *way);
/* OpenSSL has nothing half done that data could come between. */
bool tls_records_quiet(const struct tls_engine *engine);
