/* The direct record layer: after the handshake, data records are sealed straight into the output
 * queue and opened straight from what was fed, past OpenSSL's buffers.
 *
 * OpenSSL stays the one authority for everything else: alerts, tickets, KeyUpdates, renegotiation,
 * and each record that is wrong in any way. But its sequence numbers stand still while ours run.
 * So, in a direction that has been taken over, a record for OpenSSL is opened and sealed again with
 * the number that OpenSSL expects, and a record of OpenSSL's with the number that the peer expects.
 * Both have the same keys, so that nothing else differs, and the peer cannot tell.
 *
 * A direction is OpenSSL's after each change of keys. It is taken over when some records have gone
 * through OpenSSL under these keys, the last of them data, and it has nothing half done: a
 * connection that ends after a request or two is not worth it. Room-internal. */
#pragma once

#include "tls/engine.h"
#include "tls/key_schedule.h"
#include "tls/record_cipher.h"
#include "tls/record_gather.h"

/* Records of a direction that the peer's and ours have in common before it is worth taking over: it
 * costs as much as OpenSSL wastes on so many small ones (bench/micro/records). */
enum { RECORDS_BEFORE_TAKING = 32 };

/* What OpenSSL reads next. */
struct record_loan {
    size_t bytes;
    size_t offset;
    uint8_t data[];
};

/* What a direction has that has been taken over: data is ours, all else is sealed again. */
struct record_traffic {
    struct record_key key;
    bool has_key;           /* false: made when it is needed */
    EVP_CIPHER_CTX *cipher; /* for the wire; NULL: made when it is needed */
    uint64_t sequence;      /* of the next record on the wire */
    uint64_t ssl_sequence;  /* what OpenSSL takes that for */
    struct record_gather gather;
    /* In: owned, NULL: nothing. After it, bytes of the fed span that go to OpenSSL as they come:
     * the rest of a record that it will refuse by its header alone. */
    struct record_loan *loan;
    size_t unopened_bytes;
};

/* One direction; small, as idle connections have it, too. */
struct record_way {
    /* Of the current keys. TLS 1.2: key and IV themselves, once they are needed. */
    uint8_t secret[KEY_SCHEDULE_DIGEST_BYTES_MAX];
    uint64_t begin;                 /* the tally's count of records when those keys came into use */
    struct record_traffic *traffic; /* NULL: the direction is OpenSSL's */
    uint32_t made; /* out, taken: records that OpenSSL has made and not yet written */
    bool has_secret;
    bool ready; /* nothing speaks against the next record being ours */
    /* The keys change: in, after what is lent; out, after what is made, and then records made under
     * the new ones are not counted. */
    bool leaves;
};

/* What OpenSSL remembers of the records that are not data; of a retired connection, here. */
struct record_control {
    uint8_t message[5]; /* a KeyUpdate, as far as it has come */
    uint8_t message_bytes;
    bool message_waits;    /* has its header and has not been looked into */
    uint8_t warnings;      /* in a row */
    uint8_t empty_records; /* in a row */
    bool received_close;
    bool sent_close;
    bool owes_update; /* a KeyUpdate, before the next data */
    bool failed;      /* nothing goes on any more, in or out */
};

struct tls_records {
    const struct record_form *form;           /* of what the first handshake negotiated */
    const struct key_schedule_digest *digest; /* TLS 1.3: the suite's; static */
    struct tls_context *context;              /* borrowed; the connection's keeper has it */
    struct record_way in;
    struct record_way out;
    uint64_t explicit_nonce; /* out, the last one, where there is one: OpenSSL's count up, too */
    struct record_control control;
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

/* Retires the connection, engine->ssl with it, where nothing is half done and nobody could miss
 * it: both directions are ours from now on, and so are the few records that are not data. False: it
 * stays as it is, also when memory is out. */
bool tls_records_retire(struct tls_engine *engine);

/* For the files of the record layer: our record in TLS 1.3, of that type inside. False: no memory,
 * or no number. */
bool tls_records_put(struct tls_engine *engine, uint8_t inner_type, const uint8_t *bytes,
                     size_t count);
/* For the files of the record layer: what OpenSSL reads next, to be written there; NULL: no memory.
 */
uint8_t *tls_records_lend_new(struct record_traffic *traffic, size_t bytes);
/* For the files of the record layer: the secret after it, and from the next record on its keys, in
 * a way that stays taken. False: OpenSSL fails. */
bool tls_records_rekey(struct tls_records *records, struct record_way *way);
/* For the files of the record layer: the way's cipher; NULL: no memory. */
EVP_CIPHER_CTX *tls_records_cipher(const struct tls_engine *engine, struct record_way *way);
/* For the files of the record layer: a cipher under the way's key, the caller's; NULL: no memory.
 */
EVP_CIPHER_CTX *tls_records_cipher_new(const struct tls_engine *engine, struct record_way *way,
                                       bool seals);
/* The way is OpenSSL's from now on. */
void tls_records_leave(struct record_way *way);
/* OpenSSL has nothing half done that data could come between. */
bool tls_records_quiet(const struct tls_engine *engine);

/* retired.c, of a retired connection. What is to be read next: a record from the wire? */
bool tls_retired_waits(const struct tls_engine *engine);
/* A header that condemns its record; then the record is not waited for. */
bool tls_retired_condemns(struct tls_engine *engine, const uint8_t *header);
/* A record that is not authentic. */
void tls_retired_take_broken(struct tls_engine *engine);
/* A record's own content: all but data that could be returned in place. False: no memory. */
bool tls_retired_take(struct tls_engine *engine, const uint8_t *inner, size_t inner_bytes);
/* As SSL_read_ex(3) after what was taken, and as tls_engine_write() when that is not just data. */
enum tls_status tls_retired_read(struct tls_engine *engine, uint8_t *out, size_t out_max,
                                 size_t *out_count, struct tls_failure_detail *failure);
enum tls_status tls_retired_write(struct tls_engine *engine, const uint8_t *bytes, size_t count,
                                  struct tls_failure_detail *failure);
void tls_retired_close(struct tls_engine *engine);
bool tls_retired_update_key(struct tls_engine *engine, bool both);
