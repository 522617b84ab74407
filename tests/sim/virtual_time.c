/* Time passes when there is nothing else to do: a wait that no completion ends costs nothing, and
 * one that nothing could end is found out. */
#include <liburing.h>
#include <time.h>

#include "base/clock.h"
#include "world.h"

enum { TURNS_MAX = 400 * 1000 }; /* far more than any schedule needs: it spins */

static const uint64_t read_ns = 200;                    /* what a look at the clock costs */
static const uint64_t tcp_ns = 300 * 1000;              /* loopback needs a moment, sometimes */
static const uint64_t stuck_ns = 2000 * 1000 * 1000ull; /* real: nothing will come any more */

static uint64_t now_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __real_ring_turn(struct ring *ring, uint64_t wait_ns);
int __wrap_ring_turn(struct ring *ring, uint64_t wait_ns);

void virtual_time_start(void)
{
    now_ns = NS_PER_S;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_MONOTONIC) {
        return __real_clock_gettime(clock, out);
    }
    now_ns += read_ns;
    out->tv_sec = (time_t)(now_ns / NS_PER_S);
    out->tv_nsec = (long)(now_ns % NS_PER_S);
    return 0;
}

/* The last enter took place, and there is nothing to do. */
static bool is_idle(const struct ring *ring)
{
    static uint64_t failed_before;
    uint64_t failed = fault_happened(FAULT_ENTER_FAIL);
    bool has_failed = failed != failed_before;

    failed_before = failed;
    return !has_failed && io_uring_cq_ready(ring->uring) == 0 &&
           io_uring_sq_ready(ring->uring) == 0 && !fault_pending();
}

int __wrap_ring_turn(struct ring *ring, uint64_t wait_ns)
{
    int result = __real_ring_turn(ring, 0);

    SIM_CHECK(++world.turns < TURNS_MAX, "the loop spins");
    if (wait_ns == 0 || !is_idle(ring)) {
        return result;
    }
    if (world.is_tcp) {
        result = __real_ring_turn(ring, tcp_ns);
        if (!is_idle(ring)) {
            return result;
        }
    }
    if (wait_ns > UINT64_MAX / 2) {
        result = __real_ring_turn(ring, stuck_ns);
        SIM_CHECK(!is_idle(ring), "stuck: %u clients and %u servers are open, nothing is under way",
                  world.clients_open, world.servers_open);
        return result;
    }
    now_ns += wait_ns;
    return result;
}
