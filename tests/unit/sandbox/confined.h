/* Tries things in a child that has given up something, so that the test itself stays free. */
#pragma once

#include <stddef.h>

struct attempt {
    const char *what;
    int (*make)(void); /* 0, or the errno that it met */
    int expected;
};

/* Calls `give_up` (which returns 0, or -1 and an error's text) in a child, makes the attempts there
 * and fails the test with the first that ends otherwise than expected. */
void confined_expect(int (*give_up)(void), const struct attempt *attempts, size_t count);

/* 0 and closed again, or errno. */
int try_open(const char *path, int flags);
