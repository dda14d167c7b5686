/* SPDX-License-Identifier: ISC */
/* Prints what happens to files and directories, until each of them is gone or the program is interrupted.
 *
 *   watch [--recursive] path... */
#include <errno.h>
#include <gyre/gyre.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_event(gy_fswatch *watch, int err, const gy_fswatch_event *event) {
    static const char *const kinds[] = {"created", "removed", "changed", "attributes", "renamed", "rescan", "gone"};
    const char *path = watch->user;
    printf("%-10s %s", kinds[event->kind], path);
    if (*event->name) printf("/%s", event->name);
    if (event->is_dir) printf("/");
    if (event->from) printf(" (was %s)", event->from);
    if (err) printf(": %s", gy_error_text(err));
    printf("\n");
    fflush(stdout);
}

static void on_interrupt(gy_signal *signal, unsigned count) {
    (void)count;
    gy_loop_stop(signal->loop);
}

int main(int argc, char **argv) {
    bool recursive = argc > 1 && strcmp(argv[1], "--recursive") == 0;
    int first = recursive ? 2 : 1;
    if (first >= argc) {
        fprintf(stderr, "usage: watch [--recursive] path...\n");
        return 2;
    }
    gy_loop *loop;
    gy_signal interrupt = {0};
    gy_fswatch *watches = calloc((size_t)argc, sizeof *watches);
    int err = watches ? gy_loop_new(&loop, (gy_loop_opts){0}) : -ENOMEM;
    if (err) {
        fprintf(stderr, "watch: %s\n", gy_error_text(err));
        free(watches);
        return 1;
    }
    gy_signal_start(loop, &interrupt, SIGINT, on_interrupt);
    gy_signal_unref(&interrupt);
    for (int i = first; i < argc; i++) {
        watches[i].user = argv[i];
        gy_fswatch_opts opts = {.path = argv[i], .recursive = recursive, .coalesce = GY_MS(20), .fn = on_event};
        err = gy_fswatch_start(loop, &watches[i], opts);
        if (err) fprintf(stderr, "watch: %s: %s\n", argv[i], gy_error_text(err));
    }
    gy_loop_run(loop);
    for (int i = first; i < argc; i++) gy_fswatch_stop(&watches[i]);
    gy_signal_stop(&interrupt);
    int failed = gy_loop_run(loop); /* a look that was under way may end */
    gy_loop_free(loop);
    free(watches);
    return failed != 0;
}
