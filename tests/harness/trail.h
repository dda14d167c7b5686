/* SPDX-License-Identifier: ISC */
/* What happened, in order, as a line of words: for tests in which the order is what matters. */
#ifndef GY_TESTS_HARNESS_TRAIL_H
#define GY_TESTS_HARNESS_TRAIL_H

#include <string.h>

typedef struct trail {
    char text[512];
} trail;

static inline void trail_add(trail *t, const char *word) {
    size_t used = strlen(t->text), length = strlen(word);
    if (used + length + 2 > sizeof t->text) return;
    if (used) t->text[used++] = ' ';
    memcpy(t->text + used, word, length + 1);
}

#endif
