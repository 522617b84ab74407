#include <string.h>

#include <criterion/criterion.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include "base/error.h"
#include "cli/admin_client.h"

/* What the server of a test answers. */
struct answer {
    unsigned status;
    const char *body;
};

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_bytes, void **state)
{
    const struct answer *wanted = user;
    struct MHD_Response *response;
    enum MHD_Result result;
    unsigned status = strcmp(url, "/stats") == 0 ? wanted->status : 404;

    (void)method, (void)version, (void)upload, (void)upload_bytes, (void)state;
    response = MHD_create_response_from_buffer(strlen(wanted->body), (void *)wanted->body,
                                               MHD_RESPMEM_MUST_COPY);
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static json_t *ask(const struct answer *wanted, const char *format, struct error *error)
{
    struct MHD_Daemon *daemon;
    struct admin_client *client;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char url[128];
    json_t *stats;

    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer,
                              (void *)wanted, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    cr_assert_not_null(daemon);
    snprintf(url, sizeof(url), format,
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    client = admin_client_new(url, error);
    cr_assert_not_null(client, "%s", error->text);
    stats = admin_client_stats(client, error);
    admin_client_free(client);
    MHD_stop_daemon(daemon);
    return stats;
}

Test(admin_client, reads_the_document_with_or_without_scheme_and_path)
{
    static const struct answer good = {200, "{\"uptime\": 3}"};
    const char *const formats[] = {"http://127.0.0.1:%u", "127.0.0.1:%u", "http://127.0.0.1:%u/"};

    for (size_t i = 0; i < 3; i++) {
        struct error error = {0};
        json_t *stats = ask(&good, formats[i], &error);

        cr_assert_not_null(stats, "%s", error.text);
        cr_assert_eq(json_integer_value(json_object_get(stats, "uptime")), 3);
        json_decref(stats);
    }
}

Test(admin_client, other_documents_and_statuses_are_refused)
{
    static const struct answer not_json = {200, "<html>"};
    static const struct answer empty = {200, ""};
    static const struct answer failing = {500, "{}"};
    struct error error = {0};

    cr_assert_null(ask(&not_json, "http://127.0.0.1:%u", &error));
    cr_assert_null(ask(&empty, "http://127.0.0.1:%u", &error));
    cr_assert_null(ask(&failing, "http://127.0.0.1:%u", &error));
    cr_assert_not_null(strstr(error.text, "500"), "%s", error.text);
}

Test(admin_client, nobody_listening_is_a_sentence)
{
    struct error error = {0};
    struct admin_client *client = admin_client_new("unix:/nonexistent/socket", &error);

    cr_assert_not_null(client);
    cr_assert_null(admin_client_stats(client, &error));
    cr_assert_neq(error.text[0], '\0');
    admin_client_free(client);
}

Test(admin_client, addresses_of_other_kinds_are_refused)
{
    const char *const addresses[] = {"https://127.0.0.1:1", "http://", "unix:", "", "ftp://x"};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct error error = {0};

        cr_assert_null(admin_client_new(addresses[i], &error), "%s", addresses[i]);
        cr_assert_neq(error.text[0], '\0');
    }
}
