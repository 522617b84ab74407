#include <string.h>

#include <criterion/criterion.h>

#include "base/error.h"
#include "load/ceiling.h"
#include "tls/certificate.h"
#include "tls/config.h"

static struct certificate *certificate;
static struct tls_config server, client;
static const uint64_t SOME_NS = 5 * 1000 * 1000;

static void set_up(void)
{
    certificate = certificate_new(&(struct certificate_options){0}, NULL, NULL);
    cr_assert(certificate);
    server = (struct tls_config){.certificate_count = 1};
    server.certificates[0].certificate_pem = certificate_pem(certificate);
    server.certificates[0].key_pem = certificate_key_pem(certificate);
    client = (struct tls_config){.ca_pem = certificate_pem(certificate)};
}

static void tear_down(void)
{
    certificate_free(certificate);
}

TestSuite(ceiling, .init = set_up, .fini = tear_down);

/* Runs it for a moment; the facts of its last connection. */
static struct tls_facts run_many(enum ceiling_work work, size_t message_bytes, uint32_t connections)
{
    struct error error = {0};
    struct tls_facts facts;
    struct ceiling_cost cost;
    struct ceiling *ceiling = ceiling_new(
        &(struct ceiling_options){work, &server, &client, message_bytes, connections}, &error);

    cr_assert(ceiling, "%s", error.text);
    cr_assert_eq(ceiling_run(ceiling, SOME_NS, &cost, &error), 0, "%s", error.text);
    cr_assert_gt(cost.operations, 0);
    cr_assert_gt(cost.server_ns, 0);
    cr_assert_gt(cost.client_ns, 0);
    cr_assert_geq(cost.server_ns + cost.client_ns, SOME_NS);
    ceiling_facts(ceiling, &facts);
    ceiling_free(ceiling);
    return facts;
}

static struct tls_facts run(enum ceiling_work work, size_t message_bytes)
{
    return run_many(work, message_bytes, 1);
}

Test(ceiling, full_handshakes_are_full)
{
    struct tls_facts facts = run(CEILING_FULL, 0);

    cr_assert_eq(facts.resumption, TLS_FULL);
    cr_assert_str_eq(facts.version, "TLSv1.3");
    cr_assert_str_eq(facts.certificate, "EC P-256");
}

Test(ceiling, handshakes_resume_from_tickets_in_both_versions)
{
    cr_assert_eq(run(CEILING_TICKET, 0).resumption, TLS_RESUMED_TICKET);
    server.version_max = TLS_VERSION_1_2;
    cr_assert_eq(run(CEILING_TICKET, 0).resumption, TLS_RESUMED_TICKET);
}

Test(ceiling, handshakes_resume_by_id_where_there_are_no_tickets)
{
    server.version_max = TLS_VERSION_1_2;
    server.no_tickets = true;
    cr_assert_eq(run(CEILING_ID, 0).resumption, TLS_RESUMED_ID);
}

Test(ceiling, handshakes_by_id_are_refused_where_tickets_come_instead)
{
    struct error error = {0};

    server.version_max = TLS_VERSION_1_2;
    cr_assert_null(
        ceiling_new(&(struct ceiling_options){CEILING_ID, &server, &client, 0, 0}, &error));
    cr_assert_str_eq(error.text, "a handshake in memory was not resumed");
}

Test(ceiling, echoes_messages_smaller_and_larger_than_a_record)
{
    run(CEILING_ECHO, 1);
    run(CEILING_ECHO, 16384);
    run(CEILING_ECHO, 300 * 1000);
}

Test(ceiling, echoes_on_many_connections_in_turns)
{
    run_many(CEILING_ECHO, 64, 3);
    run_many(CEILING_ECHO, 64, 100);
    run_many(CEILING_ECHO, 300 * 1000, 3);
}

Test(ceiling, sides_that_cannot_agree_are_refused_with_the_reason)
{
    struct error error = {0};

    server.version_max = TLS_VERSION_1_2;
    client.version_min = TLS_VERSION_1_3;
    cr_assert_null(
        ceiling_new(&(struct ceiling_options){CEILING_FULL, &server, &client, 0, 0}, &error));
    cr_assert(strstr(error.text, "unsupported protocol"), "%s", error.text);
}
