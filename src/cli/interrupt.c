#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

atomic_bool interrupt_requested;

static void on_signal(int number)
{
    (void)number;
    atomic_store_explicit(&interrupt_requested, true, memory_order_relaxed);
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}
