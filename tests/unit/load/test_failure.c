#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>

#include "conn/conn.h"
#include "load/failure.h"

struct row {
    enum conn_end end;
    int os_error;
    int reached; /* 0: nothing, 1: TCP, 2: TLS */
    enum failure_owed owed;
    enum load_error_phase phase;
    char reason[LOAD_REASON_BYTES];
};

ParameterizedTestParameters(failure, says_where_and_why)
{
    static struct row rows[] = {
        {CONN_END_CONNECT, ECONNREFUSED, 0, 0, LOAD_ERROR_CONNECT, "Connection refused"},
        {CONN_END_TIMEOUT_CONNECT, 0, 0, 0, LOAD_ERROR_CONNECT, "timed out while connecting"},
        {CONN_END_TRUNCATED, 0, 1, 0, LOAD_ERROR_HANDSHAKE,
         "the server closed before the handshake finished"},
        {CONN_END_RESET, ECONNRESET, 1, 0, LOAD_ERROR_HANDSHAKE, "Connection reset by peer"},
        {CONN_END_RESET, 0, 1, 0, LOAD_ERROR_HANDSHAKE, "reset"},
        {CONN_END_TIMEOUT_HANDSHAKE, 0, 1, 0, LOAD_ERROR_HANDSHAKE, "timed out in the handshake"},
        {CONN_END_TLS, 0, 1, 0, LOAD_ERROR_HANDSHAKE, "TLS failure"},
        {CONN_END_CLEAN, 0, 2, FAILURE_OWED_NOTHING, LOAD_ERROR_TRANSFER,
         "the server closed the connection"},
        {CONN_END_CLEAN, 0, 2, FAILURE_OWED_ANSWER, LOAD_ERROR_TRANSFER,
         "the server closed instead of answering"},
        {CONN_END_TRUNCATED, 0, 2, FAILURE_OWED_REST, LOAD_ERROR_TRANSFER,
         "the server closed in the middle of an answer"},
        {CONN_END_TIMEOUT_IDLE, 0, 2, FAILURE_OWED_ANSWER, LOAD_ERROR_TRANSFER,
         "timed out waiting for an answer"},
        {CONN_END_TIMEOUT_IDLE, 0, 2, FAILURE_OWED_REST, LOAD_ERROR_TRANSFER,
         "timed out in the middle of an answer"},
        {CONN_END_TIMEOUT_WRITE, 0, 2, FAILURE_OWED_ANSWER, LOAD_ERROR_TRANSFER,
         "timed out sending: the server does not read"},
        {CONN_END_MEMORY, 0, 2, FAILURE_OWED_ANSWER, LOAD_ERROR_TRANSFER, "out of memory"},
        {CONN_END_LOCAL, 0, 2, FAILURE_OWED_ANSWER, LOAD_ERROR_TRANSFER, "local"},
    };

    return cr_make_param_array(struct row, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct row *row, failure, says_where_and_why)
{
    struct conn conn = {
        .end = row->end,
        .os_error = row->os_error,
        .connected_ns = row->reached > 0 ? 1 : 0,
        .secure_ns = row->reached > 1 ? 2 : 0,
    };
    char reason[LOAD_REASON_BYTES];

    cr_expect_eq(failure_describe(&conn, row->owed, reason), row->phase);
    cr_expect_str_eq(reason, row->reason);
}

Test(failure, repeats_the_words_of_the_tls_library)
{
    struct tls_failure_detail detail = {.reason = "wrong version number"};
    struct conn conn = {.end = CONN_END_TLS, .connected_ns = 1, .failure = &detail};
    char reason[LOAD_REASON_BYTES];

    cr_expect_eq(failure_describe(&conn, FAILURE_OWED_NOTHING, reason), LOAD_ERROR_HANDSHAKE);
    cr_expect_str_eq(reason, "wrong version number");
}
