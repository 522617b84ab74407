#include "cli/top_screen.h"

#include <curses.h>
#include <stdlib.h>

#include "base/error.h"

struct top_screen {
    SCREEN *terminal;
    bool has_red;
};

struct top_screen *top_screen_open(struct error *error)
{
    struct top_screen *screen = calloc(1, sizeof(*screen));
    const char *name = getenv("TERM");

    if (screen == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    /* initscr() would end the program where there is no such terminal. */
    screen->terminal = newterm(NULL, stdout, stdin);
    if (screen->terminal == NULL) {
        error_set(error,
                  "the terminal '%s' is none that ncurses knows; --once prints a plain table",
                  name != NULL ? name : "");
        free(screen);
        return NULL;
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    if (has_colors() && start_color() == OK && use_default_colors() == OK) {
        init_pair(1, COLOR_RED, -1);
        screen->has_red = true;
    }
    return screen;
}

void top_screen_close(struct top_screen *screen)
{
    if (screen == NULL) {
        return;
    }
    endwin();
    delscreen(screen->terminal);
    free(screen);
}

static void print_line(void *user, size_t row, enum top_emphasis emphasis, const char *line)
{
    static const attr_t attributes[] = {
        [TOP_PLAIN] = A_NORMAL, [TOP_TITLE] = A_REVERSE, [TOP_HEADING] = A_UNDERLINE,
        [TOP_TOTAL] = A_BOLD,   [TOP_TROUBLE] = A_BOLD,  [TOP_DIM] = A_DIM,
    };
    const struct top_screen *screen = user;

    attr_set(attributes[emphasis], emphasis == TOP_TROUBLE && screen->has_red ? 1 : 0, NULL);
    mvaddnstr((int)row, 0, line, COLS);
    attr_set(A_NORMAL, 0, NULL);
}

void top_screen_show(struct top_screen *screen, const struct top_frame *frame)
{
    erase();
    top_view_print(frame, (size_t)COLS, (size_t)LINES, print_line, screen);
    refresh();
}

enum top_key top_screen_wait(struct top_screen *screen, int timeout_ms)
{
    (void)screen;
    timeout(timeout_ms);
    switch (getch()) {
    case 'q':
    case 'Q':
        return TOP_KEY_QUIT;
    case 'p':
    case 'P':
    case ' ':
        return TOP_KEY_PAUSE;
    case 'r':
    case 'R':
        return TOP_KEY_SORT;
    case KEY_RESIZE:
        return TOP_KEY_RESIZE;
    default:
        return TOP_KEY_NONE;
    }
}
