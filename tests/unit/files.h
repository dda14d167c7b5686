/* SPDX-License-Identifier: ISC */
/* What tests about files have in common: a folder of their own, quick looks at what is in it, and system calls that
 * fail on purpose. Nothing here uses the library's own file operations. */
#ifndef GY_TESTS_UNIT_FILES_H
#define GY_TESTS_UNIT_FILES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/fs.h"
#include "harness.h"

/* ---- a folder ---------------------------------------------------------------------------------------------------- */

typedef struct folder {
    char path[64];
    char given[64][512]; /* what folder_path() has given out */
    unsigned count;
} folder;

static inline void folder_make(folder *f) {
    *f = (folder){.path = "/tmp/gyre-files-XXXXXX"};
    CHECK(mkdtemp(f->path) != NULL);
}

static inline int folder_drop_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st, (void)kind, (void)where;
    return remove(path);
}

static inline void folder_remove(folder *f) {
    CHECK_EQ(nftw(f->path, folder_drop_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A path in the folder, valid as long as it; the same one for the same name. */
static inline const char *folder_path(folder *f, const char *name) {
    size_t len = strlen(f->path), add = strlen(name);
    CHECK(len + add + 2 <= sizeof f->given[0]);
    for (unsigned i = 0; i < f->count; i++)
        if (!strcmp(f->given[i] + len + 1, name)) return f->given[i];
    CHECK(f->count < sizeof f->given / sizeof f->given[0]);
    char *path = f->given[f->count++];
    memcpy(path, f->path, len);
    path[len] = '/';
    memcpy(path + len + 1, name, add + 1);
    return path;
}

static inline const char *folder_put(folder *f, const char *name, const char *text) {
    const char *path = folder_path(f, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static inline const char *folder_dir(folder *f, const char *name) {
    const char *path = folder_path(f, name);
    CHECK_EQ(mkdir(path, 0755), 0);
    return path;
}

/* Whether a file has exactly these contents. */
static inline bool folder_has(folder *f, const char *name, const char *text) {
    char got[4096];
    int fd = open(folder_path(f, name), O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got);
    if (fd >= 0) close(fd);
    return n == (ssize_t)strlen(text) && !memcmp(got, text, strlen(text));
}

static inline bool folder_there(folder *f, const char *name) {
    struct stat st;
    return lstat(folder_path(f, name), &st) == 0;
}

/* How many names stand in it. */
static inline int folder_count(folder *f) {
    int count = -2;
    DIR *dir = opendir(f->path);
    CHECK(dir != NULL);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

/* How many descriptors the process has. */
static inline int files_open(void) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* ---- failing on purpose ------------------------------------------------------------------------------------------ */

static atomic_int files_calls, files_fail_at, files_fail_with;

static inline int files_fault(gyi_syscall kind) {
    (void)kind;
    int n = atomic_fetch_add(&files_calls, 1) + 1;
    return n == atomic_load(&files_fail_at) ? atomic_load(&files_fail_with) : 0;
}

/* From now on the nth call fails; 0: none does any more. */
static inline void files_fail(int nth, int err) {
    atomic_store(&files_calls, 0);
    atomic_store(&files_fail_at, nth);
    atomic_store(&files_fail_with, err);
    gyi_sys_fault = nth ? files_fault : NULL;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct files_memory {
    atomic_int blocks, left; /* alive; how many more are given */
} files_memory;

static inline void *files_alloc(size_t size, void *ctx) {
    files_memory *m = ctx;
    if (atomic_fetch_sub(&m->left, 1) <= 0) return NULL;
    atomic_fetch_add(&m->blocks, 1);
    return malloc(size);
}

static inline void files_free(void *ptr, void *ctx) {
    atomic_fetch_sub(&((files_memory *)ctx)->blocks, 1);
    free(ptr);
}

/* A request that was filled as gyi_fs_start() does it, for calling a row's function in the test's own thread. */
static inline void files_request(gy_fs *req, files_memory *m, gyi_fs_in in) {
    gy_fs_release(req);
    req->result = 0;
    req->priv.in = in;
    req->priv.now.alloc = (gy_alloc){files_alloc, files_free, m};
}

#endif
