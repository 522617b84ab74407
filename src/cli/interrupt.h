/* Ctrl-C and SIGTERM, for commands that then end in good order with what there is. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/* Set by the first of the two signals; read by any thread. */
extern atomic_bool interrupt_requested;

/* From now on the first signal asks for the end, and the second one ends the program. A reader of
 * our output that goes away is an error of writing, and no signal. */
void interrupt_catch(void);
