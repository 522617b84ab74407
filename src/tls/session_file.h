/* A client's session in a file, as `openssl s_client -sess_out` writes and -sess_in reads it: PEM,
 * "SSL SESSION PARAMETERS". The file is as secret as the connection; we make it for its owner only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct error;

/* What tls_session_serialise() gave. Returns 0 with *out on the heap, or NULL for a file that is
 * empty or was not there and has been made, so that it is known before that it can be written; or
 * -1 and a sentence that names the file. */
int tls_session_file_read(const char *file, uint8_t **out, size_t *out_bytes, struct error *error);

/* In place of what is there. Returns 0, or -1 and a sentence that names the file. */
int tls_session_file_write(const char *file, const uint8_t *data, size_t bytes,
                           struct error *error);
