#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "report/figures.h"

static struct fixture fixture;
static struct report_figures figures;

Test(figures, charges_cpu_to_what_the_mode_is_about)
{
    fixture_init_handshakes(&fixture);
    report_figures_compute(&figures, &fixture.input);
    cr_assert_float_eq(figures.client.cpu_seconds_per_handshake, 15.0 / 100000, 1e-12);
    cr_assert_float_eq(figures.client.handshakes_per_cpu_second, 100000 / 15.0, 1e-6);
    cr_assert(isnan(figures.client.cpu_seconds_per_message));
    cr_assert(isnan(figures.client.cpu_seconds_per_gib));
    fixture_deinit(&fixture);

    fixture_init_messages(&fixture);
    fixture.result->handshakes = 50; /* a few reconnected */
    report_figures_compute(&figures, &fixture.input);
    cr_assert_float_eq(figures.client.messages_per_cpu_second, 50000, 1e-6);
    cr_assert(isnan(figures.client.cpu_seconds_per_handshake));
    fixture_deinit(&fixture);
}

Test(figures, server_is_charged_over_the_time_that_it_was_watched)
{
    fixture_init_messages(&fixture);
    fixture_add_server(&fixture, 0.60);
    report_figures_compute(&figures, &fixture.input);
    /* Both workers together at 1.0 CPUs, 50,000 messages a second. */
    cr_assert(figures.server_known);
    cr_assert_float_eq(figures.server.cpu_seconds, 10.1, 1e-6);
    cr_assert_float_eq(figures.server.messages_per_cpu_second, 50000, 1e-3);
    cr_assert_float_eq(figures.server.busiest, 0.60, 1e-6);
    fixture_deinit(&fixture);
}

Test(figures, server_is_unknown_without_both_answers)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.60);
    fixture.input.server_before = NULL;
    report_figures_compute(&figures, &fixture.input);
    cr_assert_not(figures.server_known);
    cr_assert(isnan(figures.server.cpu_seconds));
    cr_assert(isnan(figures.evidence.server_busiest));
    cr_assert(isnan(figures.server_handshakes));
    fixture_deinit(&fixture);
}

Test(figures, a_shared_machine_is_as_busy_as_both_together)
{
    fixture_init_handshakes(&fixture);
    fixture_add_server(&fixture, 0.60);
    fixture.input.same_machine = true;
    report_figures_compute(&figures, &fixture.input);
    cr_assert_float_eq(figures.evidence.machine_busy, (1.5 + 1.0) / 4, 1e-6);
    fixture.input.environment.cpu_count = 0;
    report_figures_compute(&figures, &fixture.input);
    cr_assert(isnan(figures.evidence.machine_busy), "of how many CPUs?");
    fixture.input.environment.cpu_count = 4;
    fixture.input.same_machine = false;
    report_figures_compute(&figures, &fixture.input);
    cr_assert(isnan(figures.evidence.machine_busy));
    fixture_deinit(&fixture);
}

Test(figures, over_plain_tcp_connections_stand_for_handshakes)
{
    fixture_init_handshakes(&fixture);
    fixture.plan.plain_tcp = true;
    fixture.result->connects = 120000;
    fixture.result->handshakes = 0;
    report_figures_compute(&figures, &fixture.input);
    cr_assert(figures.succeeded);
    cr_assert_float_eq(figures.handshakes_per_second, 12000, 1e-6);
    cr_assert(isnan(figures.full_per_second));
    fixture.plan.plain_tcp = false;
    report_figures_compute(&figures, &fixture.input);
    cr_assert_not(figures.succeeded);
    fixture_deinit(&fixture);
}

Test(figures, of_no_time_are_all_unknown)
{
    fixture_init_handshakes(&fixture);
    memset(fixture.result, 0, sizeof(*fixture.result));
    report_figures_compute(&figures, &fixture.input);
    cr_assert_not(figures.succeeded);
    cr_assert(isnan(figures.handshakes_per_second));
    cr_assert(isnan(figures.resumed_share));
    cr_assert(isnan(figures.overhead_in));
    cr_assert(isnan(figures.client.busiest));
    cr_assert(isnan(figures.client.handshakes_per_cpu_second));
    fixture_deinit(&fixture);
}
