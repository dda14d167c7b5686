/* SPDX-License-Identifier: ISC */
/* Questions about EVFILT_VNODE: what is told of a file, and what of a directory. */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void vnode_told(const char *tag) {
    static const struct {
        unsigned bit;
        const char *word;
    } rows[] = {{NOTE_WRITE, "WRITE"}, {NOTE_EXTEND, "EXTEND"}, {NOTE_ATTRIB, "ATTRIB"},
                {NOTE_LINK, "LINK"},   {NOTE_RENAME, "RENAME"}, {NOTE_DELETE, "DELETE"}};
    struct kevent out[8];
    unsigned all = 0;
    rest(20);
    int n = call(queue, NULL, 0, out, 8, 200);
    for (int i = 0; i < n; i++) all |= out[i].fflags;
    printf("vnode %s: n=%d", tag, n);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (all & rows[i].bit) printf(" %s", rows[i].word);
    putchar('\n');
}

static int vnode_add(int fd) {
    unsigned all = NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_DELETE | NOTE_RENAME | NOTE_LINK;
    return change(queue, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, all, 0);
}

static void vnode_file(const char *name, const char *other) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    tell("vnode add", vnode_add(fd));
    put(fd, "abc");
    vnode_told("append");
    lseek(fd, 0, SEEK_SET);
    put(fd, "x");
    vnode_told("overwrite");
    fchmod(fd, 0644);
    vnode_told("chmod");
    if (ftruncate(fd, 0)) perror("ftruncate");
    vnode_told("truncate");
    if (link(name, other)) perror("link");
    vnode_told("link");
    unlink(other);
    vnode_told("unlink of the 2nd link");
    rename(name, other);
    vnode_told("rename");
    unlink(other);
    vnode_told("unlink of the last link");
    close(fd);
}

static void vnode_dir(const char *name, const char *file, const char *below) {
    mkdir(name, 0700);
    vnode_add(open(name, O_RDONLY));
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    vnode_told("dir: file created in it");
    put(fd, "q");
    vnode_told("dir: file in it written");
    close(fd);
    unlink(file);
    vnode_told("dir: file in it removed");
    mkdir(below, 0700);
    vnode_told("dir: subdir made");
    rmdir(below);
    vnode_told("dir: subdir removed");
    rmdir(name);
    vnode_told("dir: itself removed");
}

void t_vnode(void) {
    char top[] = "/tmp/gyre-probe-XXXXXX", name[64], other[64], file[64];
    queue = kqueue();
    if (!mkdtemp(top)) exit(9);
    snprintf(name, sizeof name, "%s/a", top);
    snprintf(other, sizeof other, "%s/b", top);
    snprintf(file, sizeof file, "%s/a/c", top);
    vnode_file(name, other);
    snprintf(other, sizeof other, "%s/a/d", top);
    vnode_dir(name, file, other);
    rmdir(top);
}
