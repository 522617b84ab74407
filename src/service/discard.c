/* discard: reads and drops, the receiving end of an upload. */
#include "conn/conn.h"
#include "service/services.h"

static size_t discard_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    (void)bytes;
    conn_count_message(conn, 1);
    return count;
}

/* No on_drain: only the peer knows when its upload is done. */
const struct service discard_service = {
    .name = "discard",
    .help = "reads everything and answers nothing",
    .on_data = discard_on_data,
};
