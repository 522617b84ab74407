/* Sockets that whoever started the program listens on already: systemd's socket activation, as
 * sd_listen_fds(3) describes it. */
#pragma once

struct error;
struct server_config;

/* Adds a listener for each socket that LISTEN_FDS counts and LISTEN_PID means for this process;
 * none when it does not. Returns 0, or -1 and a sentence. */
int inherited_listeners_add(struct server_config *config, struct error *error);
