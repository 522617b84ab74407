/* An echo server whose TLS 1.2 sessions are in Redis, so that another one can resume them.
 *     shared_sessions ADDRESS CERT KEY REDIS_SOCKET */
#include <err.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <unistd.h>

#include <tlsdyno.h>

/* Redis is asked on the main thread, since callbacks must not block; a pipe takes the jobs there.
 * What is asked about is good until it is answered. */
struct job {
    struct dyno_ask *ask;
    const void *id, *data; /* no data: a question */
    size_t id_bytes, data_bytes;
};

static int jobs[2];

static void on_new_session(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                           size_t id_bytes, const void *data, size_t data_bytes)
{
    const struct job job = {ask, id, data, id_bytes, data_bytes};

    (void)socket;
    if (write(jobs[1], &job, sizeof job) < 0) { /* whole: less than PIPE_BUF */
        dyno_refuse(ask);
    }
}

static void on_resume(struct dyno_ask *ask, struct dyno_socket *socket, const void *id,
                      size_t bytes)
{
    on_new_session(ask, socket, id, bytes, NULL, 0);
}

static void work(redisContext *redis, const struct job *job)
{
    redisReply *reply = job->data ? redisCommand(redis, "SET %b %b EX 300", job->id, job->id_bytes,
                                                 job->data, job->data_bytes)
                                  : redisCommand(redis, "GET %b", job->id, job->id_bytes);

    if (!reply || reply->type == REDIS_REPLY_ERROR) {
        dyno_refuse(job->ask);
    } else if (job->data) {
        dyno_answer_saved(job->ask);
    } else { /* nil has no text: a miss */
        dyno_answer_session(job->ask, reply->str, (size_t)reply->len);
    }
    freeReplyObject(reply);
}

int main(int argc, char **argv)
{
    const struct dyno_events events = {.on_data = dyno_socket_write,
                                       .on_new_session = on_new_session,
                                       .on_resume_session = on_resume};
    redisContext *redis = argc == 5 ? redisConnectUnix(argv[4]) : NULL;
    struct dyno_config *config = dyno_config_new();
    struct dyno_context *context;
    struct dyno_server *server;
    struct dyno_address address;
    struct dyno_error error;
    struct job job;

    if (!redis || redis->err || pipe(jobs) < 0) {
        errx(1, "usage: shared_sessions ADDRESS CERT KEY REDIS_SOCKET");
    }
    dyno_config_add_certificate_file(config, argv[2], argv[3]);
    dyno_config_set_versions(config, "1.2", "1.2");
    dyno_config_disable_tickets(config);
    if (!(context = dyno_context_new(DYNO_SERVER, config, &error))) {
        errx(1, "%s", error.text);
    }
    server = dyno_server_new(context, &events, NULL);
    dyno_server_listen(server, argv[1]);
    if (dyno_server_start(server, &error) < 0) {
        errx(1, "%s", error.text);
    }
    dyno_server_address(server, 0, &address);
    printf("listening on %s\n", address.text);
    fflush(stdout);
    while (read(jobs[0], &job, sizeof job) == sizeof job) {
        work(redis, &job);
    }
}
