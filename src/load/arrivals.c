#include "load/arrivals.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"

void arrivals_init(struct arrivals *arrivals, const struct arrivals_options *options)
{
    assert(options->rate > 0 && options->index < options->threads);
    *arrivals = (struct arrivals){.options = *options, .dice.state = options->index};
}

/* From the number of the arrival, not from the one before, so that no error adds up. */
static uint64_t next_constant(const struct arrivals *arrivals)
{
    const struct arrivals_options *options = &arrivals->options;
    const unsigned __int128 number =
        (unsigned __int128)arrivals->made * options->threads + options->index;

    return options->start_ns + (uint64_t)(number * NS_PER_S / options->rate);
}

static uint64_t next_poisson(struct arrivals *arrivals)
{
    const struct arrivals_options *options = &arrivals->options;
    const double mean_ns = (double)NS_PER_S * options->threads / (double)options->rate;
    /* 53 random bits in (0, 1]: the logarithm of 0 is no time. */
    const double uniform = (double)((random_next(&arrivals->dice) >> 11) + 1) * 0x1p-53;

    arrivals->offset_ns -= log(uniform) * mean_ns;
    return options->start_ns + (uint64_t)arrivals->offset_ns;
}

uint64_t arrivals_next(struct arrivals *arrivals)
{
    const uint64_t at_ns = arrivals->options.kind == LOAD_ARRIVALS_POISSON
                               ? next_poisson(arrivals)
                               : next_constant(arrivals);

    arrivals->made++;
    return at_ns;
}
