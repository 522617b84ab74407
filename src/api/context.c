/* Contexts: a configuration frozen, and OpenSSL's contexts made from it, one for each worker that
 * needs it and one for each pair that is in use. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/api.h"
#include "tls/replay.h"
#include "tls/session_store.h"
#include "tls/ticket.h"

enum {
    SESSIONS_MAX = 20480,
    CORE_CONTEXTS = 32, /* beyond so many, a core looks for those that nobody uses any more */
};

struct idle_context {
    struct idle_context *next;
    struct tls_context *tls;
    enum dyno_clients clients;
};

/* ---- freezing ---- */

/* A file's bytes in its place. Returns 0, or -1 and a sentence. */
static int freeze(struct dyno_context *context, const char **file, const void **out_bytes,
                  size_t *out_count, struct error *error)
{
    size_t count;

    if (!*file) {
        return 0;
    }
    *out_bytes = blobs_add_file(context->files, *file, &count, error);
    if (!*out_bytes) {
        return -1;
    }
    if (out_count) {
        *out_count = count;
    }
    *file = NULL;
    return 0;
}

static int freeze_text(struct dyno_context *context, const char **file, const char **out_text,
                       struct error *error)
{
    const void *bytes = *out_text;
    int result = freeze(context, file, &bytes, NULL, error);

    *out_text = bytes;
    return result;
}

static bool is_directory(const char *path)
{
    struct stat status;

    return path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The workers make their contexts at different times: all of them from the same bytes. */
static int freeze_files(struct dyno_context *context, struct error *error)
{
    struct tls_config *tls = &context->tls;
    const void *pfx = tls->pfx;
    int result;

    for (size_t i = 0; i < tls->certificate_count; i++) {
        if (freeze_text(context, &tls->certificates[i].certificate_file,
                        &tls->certificates[i].certificate_pem, error) < 0 ||
            freeze_text(context, &tls->certificates[i].key_file, &tls->certificates[i].key_pem,
                        error) < 0) {
            return -1;
        }
    }
    result = freeze(context, &tls->pfx_file, &pfx, &tls->pfx_bytes, error);
    tls->pfx = pfx;
    if (result < 0 || freeze_text(context, &tls->crl_file, &tls->crl_pem, error) < 0) {
        return -1;
    }
    if (tls->dhparam && strcmp(tls->dhparam, "auto") != 0 &&
        freeze_text(context, &tls->dhparam, &tls->dhparam_pem, error) < 0) {
        return -1;
    }
    return is_directory(tls->ca_file) ? 0
                                      : freeze_text(context, &tls->ca_file, &tls->ca_pem, error);
}

/* ---- making ---- */

static int make_shared(struct dyno_context *context, const struct dyno_config *config,
                       struct error *error)
{
    struct tls_shared *shared = &context->shared;

    context->has_ticket_keys = config->ticket_key || config->ticket_keys_file;
    shared->tickets = ticket_ring_new(config->ticket_keep, error);
    if (!shared->tickets) {
        return -1;
    }
    if (config->ticket_key && ticket_ring_push(shared->tickets, config->ticket_key,
                                               config->ticket_key_bytes, error) < 0) {
        return -1;
    }
    if (config->ticket_keys_file &&
        ticket_ring_load(shared->tickets, config->ticket_keys_file, error) < 0) {
        return -1;
    }
    shared->sessions = session_store_new(SESSIONS_MAX);
    if (!shared->sessions) {
        return error_set(error, "no memory for sessions");
    }
    if (context->tls.early_data_bytes_max == 0) {
        return 0;
    }
    shared->replays = replay_guard_new(0, error);
    return shared->replays ? 0 : -1;
}

static struct tls_context *make_tls(struct dyno_context *context, const struct tls_config *tls,
                                    struct error *error)
{
    return tls_context_new(context->role, tls,
                           context->role == TLS_SERVER ? &context->shared : NULL, error);
}

static int context_fill(struct dyno_context *context, const struct dyno_config *config,
                        struct error *error)
{
    struct tls_context *trial;
    const void *staple = config->tls.ocsp_response;
    const char *staple_file = config->ocsp_response_file;

    if (config->error.text[0]) {
        return error_set(error, "%s", config->error.text);
    }
    if (freeze(context, &staple_file, &staple, &context->tls.ocsp_response_bytes, error) < 0 ||
        (context->role == TLS_SERVER && make_shared(context, config, error) < 0)) {
        return -1;
    }
    context->tls.ocsp_response = staple;
    /* With the names of the files still in it, so that what is wrong is said of the right one. */
    trial = make_tls(context, &context->tls, error);
    if (!trial) {
        return -1;
    }
    if (tls_context_warning(trial)) {
        error_set(&context->warning, "%s", tls_context_warning(trial));
    }
    tls_context_free(trial);
    return freeze_files(context, error);
}

struct dyno_context *dyno_context_new(enum dyno_role role, const struct dyno_config *config,
                                      struct dyno_error *error)
{
    struct dyno_context *context = calloc(1, sizeof *context);

    if (!context || !(context->files = blobs_new())) {
        free(context);
        error_set(api_error(error), "no memory for a context");
        return NULL;
    }
    atomic_init(&context->references, 1);
    atomic_init(&context->users, 1);
    pthread_mutex_init(&context->lock, NULL);
    context->role = role == DYNO_SERVER ? TLS_SERVER : TLS_CLIENT;
    context->tls = config->tls;
    context->blobs = blobs_ref(config->blobs);
    if (context_fill(context, config, api_error(error)) < 0) {
        dyno_context_free(context);
        return NULL;
    }
    return context;
}

/* ---- references ---- */

static void context_release(struct dyno_context *context)
{
    if (atomic_fetch_sub(&context->references, 1) > 1) {
        return;
    }
    while (context->idle) {
        struct idle_context *idle = context->idle;

        context->idle = idle->next;
        tls_context_free(idle->tls);
        free(idle);
    }
    replay_guard_free(context->shared.replays);
    session_store_free(context->shared.sessions);
    ticket_ring_free(context->shared.tickets);
    blobs_free(context->files);
    blobs_free(context->blobs);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

struct dyno_context *dyno_context_ref(struct dyno_context *context)
{
    if (context) {
        atomic_fetch_add(&context->users, 1);
        atomic_fetch_add(&context->references, 1);
    }
    return context;
}

void dyno_context_free(struct dyno_context *context)
{
    if (context) {
        atomic_fetch_sub(&context->users, 1);
        context_release(context);
    }
}

const char *dyno_context_warning(const struct dyno_context *context)
{
    return context->warning.text;
}

int dyno_context_rotate_ticket_key(struct dyno_context *context, const void *key, size_t bytes,
                                   struct dyno_error *error)
{
    if (!context->shared.tickets) {
        return error_set(api_error(error), "a client has no ticket keys");
    }
    return key ? ticket_ring_push(context->shared.tickets, key, bytes, api_error(error))
               : ticket_ring_rotate(context->shared.tickets, api_error(error));
}

/* ---- one for each core ---- */

static void core_sweep(struct core *core)
{
    struct core_context **link = &core->contexts;

    while (*link) {
        struct core_context *entry = *link;

        if (atomic_load(&entry->context->users) > 0) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        core->context_count--;
        tls_context_free(entry->tls);
        context_release(entry->context);
        free(entry);
    }
}

struct tls_context *core_context(struct core *core, struct dyno_context *context,
                                 struct error *error)
{
    struct core_context *entry = core->contexts;

    while (entry && entry->context != context) {
        entry = entry->next;
    }
    if (entry) {
        return entry->tls;
    }
    if (core->context_count >= CORE_CONTEXTS) {
        core_sweep(core);
    }
    entry = calloc(1, sizeof *entry);
    if (!entry || !(entry->tls = make_tls(context, &context->tls, error))) {
        if (!entry) {
            error_set(error, "no memory for a context");
        }
        free(entry);
        return NULL;
    }
    atomic_fetch_add(&context->references, 1);
    entry->context = context;
    entry->next = core->contexts;
    core->contexts = entry;
    core->context_count++;
    return entry->tls;
}

void core_deinit(struct core *core)
{
    while (core->contexts) {
        struct core_context *entry = core->contexts;

        core->contexts = entry->next;
        tls_context_free(entry->tls);
        context_release(entry->context);
        free(entry);
    }
}

/* ---- one for each pair that is in use ---- */

struct idle_context *idle_context_take(struct dyno_context *context, enum dyno_clients clients,
                                       struct error *error)
{
    struct tls_config tls = context->tls;
    struct idle_context **link = &context->idle;
    struct idle_context *idle;

    pthread_mutex_lock(&context->lock);
    while (*link && (*link)->clients != clients) {
        link = &(*link)->next;
    }
    idle = *link;
    if (idle) {
        *link = idle->next;
    }
    pthread_mutex_unlock(&context->lock);
    if (idle) {
        return idle;
    }
    idle = calloc(1, sizeof *idle);
    if (!idle) {
        error_set(error, "no memory for a context");
        return NULL;
    }
    tls.request_certificate |= clients != DYNO_CLIENTS_ANONYMOUS;
    tls.require_certificate |= clients == DYNO_CLIENTS_AUTHORIZED;
    idle->clients = clients;
    idle->tls = make_tls(context, &tls, error);
    if (!idle->tls) {
        free(idle);
        return NULL;
    }
    return idle;
}

struct tls_context *idle_context_tls(const struct idle_context *idle)
{
    return idle->tls;
}

void idle_context_give(struct dyno_context *context, struct idle_context *idle)
{
    pthread_mutex_lock(&context->lock);
    idle->next = context->idle;
    context->idle = idle;
    pthread_mutex_unlock(&context->lock);
}
