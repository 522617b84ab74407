#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

TestSuite(ask, .init = stage_set_up, .fini = stage_tear_down, .timeout = 60);

/* Questions wait here until a thread that is no core of the server answers them. */
static struct {
    struct dyno_ask *ask;
    const char *name; /* good until the answer */
    void (*answer)(struct dyno_ask *ask);
    sem_t asked;
    struct dyno_context *context;
    uint8_t id[32], data[2048];
    size_t id_bytes, bytes;
    char failed_phase[STAGE_TEXT_BYTES];
    sem_t failed;
} desk;

static void *answer_later(void *unused)
{
    (void)unused;
    stage_wait(&desk.asked);
    desk.answer(desk.ask);
    return NULL;
}

static void put(struct dyno_ask *ask)
{
    desk.ask = ask;
    sem_post(&desk.asked);
}

static void on_failed(void *user, const struct dyno_failure *failure)
{
    (void)user;
    strncpy(desk.failed_phase, failure->phase, sizeof desk.failed_phase - 1);
    sem_post(&desk.failed);
}

/* Meets the server while another thread answers in the given way. */
static struct seen meet(const struct dyno_connect *options, void (*answer)(struct dyno_ask *ask))
{
    struct seen seen;
    pthread_t thread;

    sem_init(&desk.asked, 0, 0);
    sem_init(&desk.failed, 0, 0);
    desk.answer = answer;
    cr_assert_eq(pthread_create(&thread, NULL, answer_later, NULL), 0);
    seen = stage_meet(options);
    pthread_join(thread, NULL);
    return seen;
}

/* ---- server names ---- */

static void on_server_name(struct dyno_ask *ask, struct dyno_socket *socket, const char *name)
{
    (void)socket;
    desk.name = name;
    put(ask);
}

static void answer_context(struct dyno_ask *ask)
{
    cr_assert_str_eq(desk.name, "other.example");
    dyno_answer_context(ask, desk.context);
}

static const struct dyno_events name_events = {
    .on_server_name = on_server_name, .on_data = dyno_socket_write, .on_failed = on_failed};
static const struct dyno_connect to_other = {.server_name = "other.example",
                                             .verify_host = "other.example"};

Test(ask, a_name_is_answered_by_another_thread)
{
    struct dyno_config *config = dyno_config_new();

    stage_open(&name_events);
    dyno_config_add_certificate_mem(config, certificate_chain_pem(stage.other_certificate),
                                    certificate_key_pem(stage.other_certificate));
    desk.context = dyno_context_new(DYNO_SERVER, config, NULL);
    dyno_config_free(config);
    cr_assert_str_eq(meet(&to_other, answer_context).heard, "hello");
    dyno_context_free(desk.context);
    desk.context = NULL;
    cr_assert_not(meet(&to_other, answer_context).is_secure, "the server's own is another's");
}

Test(ask, a_refused_name_ends_the_connection_with_its_alert)
{
    struct seen seen;

    stage_open(&name_events);
    seen = meet(&to_other, dyno_refuse);
    cr_assert_not(seen.is_secure);
    cr_assert_not_null(strstr(seen.reason, "unrecognized name"));
    stage_wait(&desk.failed);
    cr_assert_str_eq(desk.failed_phase, "server name");
}

static unsigned count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    cr_assert_not_null(directory);
    while (readdir(directory)) {
        count++;
    }
    closedir(directory);
    return count;
}

static void refuse_other(struct dyno_ask *ask, struct dyno_socket *socket, const char *name)
{
    (void)socket;
    if (name && strcmp(name, "other.example") == 0) {
        dyno_refuse(ask);
    } else {
        dyno_answer_context(ask, stage.server_context);
    }
}

Test(ask, names_refused_thousands_of_times_leak_no_descriptor)
{
    const struct dyno_events events = {.on_server_name = refuse_other,
                                       .on_data = dyno_socket_write};
    unsigned before;

    stage_open(&events);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
    while (dyno_server_connections(stage.server, -1) > 0) {
        usleep(1000);
    }
    before = count_descriptors();
    for (unsigned i = 0; i < 2000; i++) {
        cr_assert_not(stage_meet(&to_other).is_secure);
    }
    while (dyno_server_connections(stage.server, -1) > 0) {
        usleep(1000);
    }
    cr_assert_leq(count_descriptors(), before);
    cr_assert_str_eq(stage_meet(&(struct dyno_connect){0}).heard, "hello");
}

static void answer_after_the_server(struct dyno_ask *ask)
{
    dyno_server_free(stage.server);
    stage.server = NULL;
    cr_assert_str_eq(desk.name, "other.example");
    dyno_answer_context(ask, stage.server_context);
}

Test(ask, an_answer_that_comes_after_the_server_is_dropped)
{
    stage_open(&name_events);
    cr_assert_not(meet(&to_other, answer_after_the_server).is_secure);
}

/* ---- staples ---- */

static const uint8_t staple[] = "any bytes: the client hands them over unchecked";

static void on_ocsp_request(struct dyno_ask *ask, struct dyno_socket *socket,
                            const void *certificate, size_t certificate_bytes, const void *issuer,
                            size_t issuer_bytes)
{
    (void)socket;
    (void)issuer;
    (void)issuer_bytes;
    cr_assert_gt(certificate_bytes, 100);
    cr_assert_eq(((const uint8_t *)certificate)[0], 0x30, "DER begins with a SEQUENCE");
    put(ask);
}

static void answer_staple(struct dyno_ask *ask)
{
    dyno_answer_staple(ask, staple, sizeof staple);
}

static void answer_no_staple(struct dyno_ask *ask)
{
    dyno_answer_staple(ask, NULL, 0);
}

static size_t staple_bytes;
static bool is_liked;

static bool on_staple(struct dyno_socket *socket, const void *der, size_t bytes)
{
    (void)socket;
    staple_bytes = bytes;
    cr_assert_arr_eq(der, staple, sizeof staple);
    return is_liked;
}

Test(ask, a_staple_reaches_the_client_who_may_dislike_it)
{
    const struct dyno_events server = {
        .on_ocsp_request = on_ocsp_request, .on_data = dyno_socket_write, .on_failed = on_failed};
    struct dyno_events client = hello_events;
    const struct dyno_connect options = {.events = &client};

    client.on_staple = on_staple;
    dyno_config_request_ocsp(stage.client_config);
    stage_open(&server);
    cr_assert_str_eq(meet(&options, answer_no_staple).heard, "hello");
    cr_assert_eq(staple_bytes, 0);
    is_liked = true;
    cr_assert_str_eq(meet(&options, answer_staple).heard, "hello");
    cr_assert_eq(staple_bytes, sizeof staple);
    is_liked = false;
    cr_assert_str_eq(meet(&options, answer_staple).phase, "identity");
    cr_assert_not(meet(&options, dyno_refuse).is_secure);
}

/* ---- sessions ---- */

static void on_new_session(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                           size_t id_bytes, const void *data, size_t bytes)
{
    (void)socket;
    cr_assert_leq(bytes, sizeof desk.data);
    memcpy(desk.id, id, id_bytes);
    memcpy(desk.data, data, bytes);
    desk.id_bytes = id_bytes;
    desk.bytes = bytes;
    put(ask);
}

static void on_resume_session(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                              size_t id_bytes)
{
    (void)socket;
    cr_assert_eq(id_bytes, desk.id_bytes);
    cr_assert_arr_eq(id, desk.id, id_bytes);
    put(ask);
}

static void answer_session(struct dyno_ask *ask)
{
    dyno_answer_session(ask, desk.data, desk.bytes);
}

Test(ask, a_session_is_saved_and_resumed_from_outside)
{
    const struct dyno_events events = {.on_new_session = on_new_session,
                                       .on_resume_session = on_resume_session,
                                       .on_data = dyno_socket_write,
                                       .on_failed = on_failed};
    struct seen first;
    struct seen again;
    struct dyno_connect resume = {0};

    /* A client that could do 1.3 makes an ID up (RFC 8446 4.1.2), which would be asked for. */
    dyno_config_set_versions(stage.client_config, "1.2", "1.2");
    dyno_config_disable_tickets(stage.server_config);
    stage_open(&events);
    first = meet(&(struct dyno_connect){0}, dyno_answer_saved);
    cr_assert_str_eq(first.heard, "hello");
    resume.session = first.session;
    resume.session_bytes = first.session_bytes;
    again = meet(&resume, answer_session);
    cr_assert(again.facts.session_reused);
    cr_assert_not(meet(&resume, dyno_refuse).is_secure);
    stage_wait(&desk.failed);
    cr_assert_str_eq(desk.failed_phase, "resume session");
}

/* ---- TLS 1.3 sessions outside ---- */

static unsigned saved_count, found_count;

static void keep_session(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                         size_t id_bytes, const void *data, size_t bytes)
{
    (void)socket;
    memcpy(desk.id, id, id_bytes);
    memcpy(desk.data, data, bytes);
    desk.id_bytes = id_bytes;
    desk.bytes = bytes;
    saved_count++;
    dyno_answer_saved(ask);
}

static void find_session(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                         size_t id_bytes)
{
    bool is_it = id_bytes == desk.id_bytes && memcmp(id, desk.id, id_bytes) == 0;

    (void)socket;
    found_count += is_it;
    dyno_answer_session(ask, is_it ? desk.data : NULL, is_it ? desk.bytes : 0);
}

Test(ask, a_tls_1_3_session_is_kept_outside_and_each_use_makes_the_next)
{
    const struct dyno_events events = {.on_new_session = keep_session,
                                       .on_resume_session = find_session,
                                       .on_data = dyno_socket_write};
    struct dyno_connect options = {0};
    struct seen seen;
    struct seen stale;

    dyno_config_disable_tickets(stage.server_config);
    dyno_config_set_ticket_count(stage.server_config, 3); /* it is one all the same */
    stage_open(&events);
    seen = stale = stage_meet(&options);
    cr_assert_str_eq(seen.facts.version, "TLSv1.3");
    cr_assert_eq(saved_count, 1);
    for (unsigned i = 1; i < 4; i++) {
        options.session = seen.session;
        options.session_bytes = seen.session_bytes;
        seen = stage_meet(&options);
        cr_assert(seen.facts.session_reused, "use %u", i);
        cr_assert_eq(saved_count, 1 + i);
        cr_assert_eq(found_count, i);
    }
    options.session = stale.session;
    options.session_bytes = stale.session_bytes;
    cr_assert_not(stage_meet(&options).facts.session_reused, "the store has forgotten that one");
}
