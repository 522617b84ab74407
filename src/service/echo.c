/* echo: every byte back, in the records in which it came. */
#include "conn/conn.h"
#include "service/services.h"

/* Takes each record whole, room or not: the data path stops reading between records while the
 * output is above its high-water mark, so at most one record goes beyond it. */
static size_t echo_on_data(struct conn *conn, const uint8_t *bytes, size_t count)
{
    conn_write(conn, bytes, count);
    conn_count_message(conn, 1);
    return count;
}

/* No on_drain: an echo has no notion of a message, so only the peer knows when it is done. */
const struct service echo_service = {
    .name = "echo",
    .help = "sends back what it receives",
    .on_data = echo_on_data,
};
