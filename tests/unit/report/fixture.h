/* A made-up load run, for the tests of this folder. */
#pragma once

#include <jansson.h>

#include "report/report.h"

struct fixture {
    struct load_plan plan;
    struct load_result *result; /* owned */
    json_t *before;             /* owned; a server's /stats */
    json_t *after;
    struct report_input input; /* refers to all of the above but the /stats */
};

/* 10 s of handshakes, half of them resumed, with a busy client and no word from the server. */
void fixture_init_handshakes(struct fixture *fixture);

/* 10 s of 1,000-byte messages, echoed 50,000 times a second. */
void fixture_init_messages(struct fixture *fixture);

/* 10 s of an open loop that wanted 60,000 messages a second and got 50,000; of the others some
 * waited at the end and 7 were dropped. */
void fixture_init_open_loop(struct fixture *fixture);

/* A run in which every connection was refused. */
void fixture_init_refused(struct fixture *fixture);

void fixture_deinit(struct fixture *fixture);

/* Gives the input the server's side: 2 workers, the busier one at `busiest`, 100,010 handshakes
 * full and resumed alike, between two answers 10.1 s apart. */
void fixture_add_server(struct fixture *fixture, double busiest);

/* The text report. Heap. */
char *fixture_text(const struct fixture *fixture);
