/* SPDX-License-Identifier: ISC */
/* The frames of coroutines that a compiler makes (coro.hpp): their memory, which is the loop's, and their being there.
 * While one is suspended the loop cannot be freed, as with streams, for nobody could end it any more. One that has
 * ended may outlive its loop, so each remembers how it is to be freed. A compiler that sees all of a coroutine's life
 * may do without memory of its own for it, so the two are told apart. */
#include "gyre/coro.h"

#include "base/alloc.h"
#include "loop/loop.h"

typedef union frame_head {
    gy_alloc alloc;
    max_align_t align;
} frame_head;

void *gyi_coro_frame_new(gy_loop *loop, size_t size) {
    if (size > SIZE_MAX - sizeof(frame_head)) return NULL;
    frame_head *head = loop->alloc.alloc(sizeof *head + size, loop->alloc.ctx);
    if (!head) return NULL;
    head->alloc = loop->alloc;
    return head + 1;
}

void gyi_coro_frame_free(void *frame) {
    frame_head *head = (frame_head *)frame - 1;
    gy_alloc alloc = head->alloc;
    gyi_free(&alloc, head);
}

void gyi_coro_frame_begin(gy_loop *loop) { loop->open++; }

void gyi_coro_frame_over(gy_loop *loop) { loop->open--; }
