/* What a report says about its own making. */
#pragma once

enum { RECORD_COMMAND_BYTES = 1024, RECORD_TIME_BYTES = 32 };

/* The arguments as a shell would read them, "tlsdyno" before them, cut when they are very long. */
void record_command_line(char **argv, char out[RECORD_COMMAND_BYTES]);

/* Now, RFC 3339 in UTC: "2026-01-31T12:00:00Z". */
void record_time(char out[RECORD_TIME_BYTES]);
