/* The end of a connection as intended, when sessions are to be resumed: its own is kept for another
 * one, and waited for if it has not come yet. The load thread's own. */
#pragma once

struct load_client;

/* Ends an open connection, at once or after its session. Nothing more may be begun on it. */
void client_leave(struct load_client *client);

/* Keeps the session of a connection that has ended, however it did. */
void leave_keep(struct load_client *client);

/* For client_poll() and client_timer(), while client->is_leaving. */
void leave_poll(struct load_client *client);
void leave_timed_out(struct load_client *client);
