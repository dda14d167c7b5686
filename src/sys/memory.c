/* SPDX-License-Identifier: ISC */
/* Memory by the page. What systems call differently is named at the top; nothing here is remembered between calls. */
#include "sys/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#if !defined(MAP_ANONYMOUS)
#define MAP_ANONYMOUS MAP_ANON
#endif
#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif
/* OpenBSD lets a stack pointer point to nothing else. FreeBSD means by this flag a stack that grows, with guard pages
 * of the kernel's choice, which is not wanted. */
#if !defined(MAP_STACK) || defined(__FreeBSD__)
#undef MAP_STACK
#define MAP_STACK 0
#endif
/* Linux frees at once when told that the memory is not needed; the others take that as advice about reading ahead. */
#if defined(__linux__)
#define MEMORY_FORGET MADV_DONTNEED
#else
#define MEMORY_FORGET MADV_FREE
#endif

size_t gyi_memory_page(void) {
    long size = sysconf(_SC_PAGESIZE);
    return size > 0 ? (size_t)size : 4096;
}

/* One page that is touched in a range that is eligible for huge pages costs two megabytes. */
#if defined(MADV_NOHUGEPAGE)
static void memory_no_huge_pages(gyi_sys *sys, void *ptr, size_t size) {
    if (gyi_sys_enter(sys, GYI_SYS_MEMORY)) return;
    madvise(ptr, size, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses, and needs no telling */
}
#else
static void memory_no_huge_pages(gyi_sys *sys, void *ptr, size_t size) {
    (void)sys;
    (void)ptr;
    (void)size;
}
#endif

int gyi_memory_map(gyi_sys *sys, size_t size, void **out) {
    int err = gyi_sys_enter(sys, GYI_SYS_MEMORY);
    if (err) return err;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (ptr == MAP_FAILED) return -errno;
    memory_no_huge_pages(sys, ptr, size);
    *out = ptr;
    return 0;
}

void gyi_memory_unmap(gyi_sys *sys, void *ptr, size_t size) {
    sys->count[GYI_SYS_MEMORY]++;
    munmap(ptr, size);
}

int gyi_memory_guard(gyi_sys *sys, void *ptr, size_t size) {
    int err = gyi_sys_enter(sys, GYI_SYS_MEMORY);
    if (err) return err;
    return mprotect(ptr, size, PROT_NONE) ? -errno : 0;
}

void gyi_memory_forget(gyi_sys *sys, void *ptr, size_t size) {
    if (gyi_sys_enter(sys, GYI_SYS_MEMORY)) return;
    madvise(ptr, size, MEMORY_FORGET);
}

#if defined(__linux__) || defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)

#if defined(__linux__)
typedef unsigned char memory_state;
#else
typedef char memory_state;
#endif

enum { MEMORY_PAGES = 256 }; /* asked about at once */

int gyi_memory_touched(gyi_sys *sys, void *ptr, size_t size, size_t *out) {
    memory_state state[MEMORY_PAGES];
    size_t page = gyi_memory_page();
    *out = 0;
    for (size_t at = 0; at < size; at += MEMORY_PAGES * page) {
        size_t part = size - at < MEMORY_PAGES * page ? size - at : MEMORY_PAGES * page;
        int err = gyi_sys_enter(sys, GYI_SYS_MEMORY);
        if (err) return err;
        if (mincore((char *)ptr + at, part, state)) return -errno;
        for (size_t i = 0; i < part / page; i++) {
            if (!(state[i] & 1)) continue;
            *out = size - at - i * page;
            return 0;
        }
    }
    return 0;
}

#else

int gyi_memory_touched(gyi_sys *sys, void *ptr, size_t size, size_t *out) {
    (void)sys;
    (void)ptr;
    (void)size;
    *out = 0;
    return -ENOTSUP;
}

#endif
