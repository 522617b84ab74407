/* What OpenSSL reads from and writes to. */
#include <string.h>

#include "tls/internal.h"
#include "tls/records.h"

size_t tls_engine_take_input(struct tls_engine *engine, void *out, size_t out_max)
{
    size_t count = engine->input_bytes < out_max ? engine->input_bytes : out_max;

    if (count > 0) {
        memcpy(out, engine->input, count);
        engine->input += count;
        engine->input_bytes -= count;
    }
    return count;
}

static int bio_read(BIO *bio, char *out, size_t out_max, size_t *out_count)
{
    struct tls_engine *engine = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    /* A write, or the start of a renegotiation, that met unread data would fail over it: in the
     * midst of a handshake OpenSSL takes data only where it was asked for some. */
    *out_count = engine->sending ? 0
                 : engine->records != NULL && engine->records->in.traffic != NULL
                     ? tls_records_lend(engine, out, out_max)
                     : tls_engine_take_input(engine, out, out_max);
    if (*out_count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t count, size_t *out_count)
{
    struct tls_engine *engine = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (!(engine->records != NULL ? tls_records_send(engine, bytes, count)
                                  : slab_queue_append(engine->output, bytes, count))) {
        engine->output_failed = true;
        *out_count = 0;
        return 0;
    }
    *out_count = count;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_engine_bio_method(void)
{
    /* No BIO_get_new_index(3): there are only some hundred in a process, and contexts are made
     * again on every reload. Nobody looks for this BIO by type. */
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tls_engine");

    if (method != NULL) {
        BIO_meth_set_read_ex(method, bio_read);
        BIO_meth_set_write_ex(method, bio_write);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}
