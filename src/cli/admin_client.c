#include "cli/admin_client.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/error.h"

enum {
    URL_BYTES = 1024,
    CONNECT_TIMEOUT_MS = 2000,
    TOTAL_TIMEOUT_MS = 5000,
    LOOK_MS = 100,
    ANSWER_BYTES_MAX = 16 * 1024 * 1024,
};

struct admin_client {
    CURL *curl;
    CURLM *multi; /* keeps the connection between calls, so that the second costs less */
    bool (*goes_on)(void *user); /* NULL: always */
    void *user;
    char url[URL_BYTES];
    char curl_text[CURL_ERROR_SIZE];
    char *answer;
    size_t answer_bytes;
};

static size_t append_answer(char *bytes, size_t size, size_t count, void *user)
{
    struct admin_client *client = user;
    size_t total = client->answer_bytes + size * count;
    char *grown;

    if (total > ANSWER_BYTES_MAX) {
        return CURL_WRITEFUNC_ERROR;
    }
    grown = realloc(client->answer, total + 1);
    if (grown == NULL) {
        return CURL_WRITEFUNC_ERROR;
    }
    memcpy(grown + client->answer_bytes, bytes, size * count);
    client->answer = grown;
    client->answer_bytes = total;
    return size * count;
}

/* Splits the address into curl's URL and, in *out_path, a Unix socket's path. */
static int make_url(struct admin_client *client, const char *address, const char **out_path,
                    struct error *error)
{
    const char *host = address;
    int written;

    *out_path = NULL;
    if (strncmp(address, "unix:", 5) == 0) {
        *out_path = address + 5;
        host = "localhost"; /* for the Host header only */
    } else if (strncmp(address, "http://", 7) == 0) {
        host = address + 7;
    } else if (strstr(address, "://") != NULL) {
        return error_set(error, "'%s' is neither http://HOST:PORT nor unix:PATH", address);
    }
    written = snprintf(client->url, sizeof(client->url), "http://%.*s/stats",
                       (int)strcspn(host, "/"), host);
    if (host[0] == '\0' || host[0] == '/' || (*out_path != NULL && **out_path == '\0') ||
        written >= (int)sizeof(client->url)) {
        return error_set(error, "'%s' is neither http://HOST:PORT nor unix:PATH", address);
    }
    return 0;
}

static bool set_up_curl(struct admin_client *client, const char *unix_path)
{
    CURL *curl = client->curl;

    /* The proxy of the environment has no business between us and an endpoint on this machine. */
    return curl_easy_setopt(curl, CURLOPT_URL, client->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_path) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_text) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_answer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) == CURLE_OK;
}

struct admin_client *admin_client_new(const char *address, struct error *error)
{
    struct admin_client *client = calloc(1, sizeof(*client));
    const char *unix_path;

    if (client == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    if (make_url(client, address, &unix_path, error) != 0) {
        goto failed;
    }
    client->curl = curl_easy_init();
    client->multi = curl_multi_init();
    if (client->curl == NULL || client->multi == NULL || !set_up_curl(client, unix_path)) {
        error_set(error, "cannot set up libcurl for '%s'", address);
        goto failed;
    }
    return client;

failed:
    admin_client_free(client);
    return NULL;
}

void admin_client_free(struct admin_client *client)
{
    if (client == NULL) {
        return;
    }
    curl_easy_cleanup(client->curl);
    curl_multi_cleanup(client->multi);
    free(client->answer);
    free(client);
}

void admin_client_while_waiting(struct admin_client *client, bool (*goes_on)(void *user),
                                void *user)
{
    client->goes_on = goes_on;
    client->user = user;
}

/* curl_easy_perform() that can be told to give up at any time. */
static CURLcode perform(struct admin_client *client)
{
    CURLcode code = CURLE_OK;
    const CURLMsg *message;
    int running = 1;
    int left;

    curl_multi_add_handle(client->multi, client->curl);
    while (running > 0) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK ||
            (running > 0 && curl_multi_poll(client->multi, NULL, 0, LOOK_MS, NULL) != CURLM_OK)) {
            code = CURLE_OUT_OF_MEMORY;
            break;
        }
        if (running > 0 && client->goes_on != NULL && !client->goes_on(client->user)) {
            code = CURLE_ABORTED_BY_CALLBACK;
            break;
        }
    }
    message = curl_multi_info_read(client->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        code = message->data.result;
    }
    curl_multi_remove_handle(client->multi, client->curl);
    return code;
}

json_t *admin_client_stats(struct admin_client *client, struct error *error)
{
    json_error_t json_error;
    json_t *stats;
    CURLcode code;
    long status = 0;

    client->answer_bytes = 0;
    client->curl_text[0] = '\0';
    code = perform(client);
    if (code != CURLE_OK) {
        error_set(error, "cannot read the server's counters from %s: %s", client->url,
                  client->curl_text[0] != '\0' ? client->curl_text : curl_easy_strerror(code));
        return NULL;
    }
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        error_set(error, "%s answered with HTTP status %ld instead of the server's counters",
                  client->url, status);
        return NULL;
    }
    stats = json_loadb(client->answer, client->answer_bytes, 0, &json_error);
    if (stats == NULL) {
        error_set(error, "%s answered with something other than the server's counters: %s",
                  client->url, json_error.text);
    }
    return stats;
}
