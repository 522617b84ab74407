/* What is known of kernels by their release alone. */
#pragma once

/* A sentence about a hole in provided buffers, which all receives use, that this release ("6.6.4",
 * "6.5.0-41-generic") has; NULL: none is known. Distributions mend kernels without changing the
 * number, so it is a warning and no refusal. */
const char *kernel_warning(const char *release);
