/* SPDX-License-Identifier: ISC */
/* Bytes from one file to another inside the kernel, where it can.
 *
 * "Cannot" has many names, by system, version and file system; here they all become -ENOTSUP, upon which the caller
 * reads and writes. An error that would be met in reading and writing too is found again there, so nothing is lost when
 * one of the names means something worse. */
#define _FILE_OFFSET_BITS 64
#include <unistd.h>

#include "sys/file.h"
#include "sys/filecall.h"

#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/sendfile.h>

#define FILECOPY_CLONE _IOW(0x94, 9, int) /* FICLONE of <linux/fs.h>, which is not installed everywhere */

static int64_t filecopy_result(int64_t n) { return gyi_file_unable(n) ? -ENOTSUP : n; }

static int64_t filecopy_range(gyi_sys *sys, int from, int to, size_t len) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, ssize_t, copy_file_range(from, NULL, to, NULL, len, 0));
}

int64_t gyi_file_copy_range(gyi_sys *sys, int from, int to, size_t len) {
    return filecopy_result(filecopy_range(sys, from, to, len));
}

static int64_t filecopy_send(gyi_sys *sys, int from, int to, off_t at, size_t len) {
    GYI_FILE_CALL(sys, GYI_SYS_WRITE, ssize_t, sendfile(to, from, &at, len));
}

int64_t gyi_file_send(gyi_sys *sys, int from, int to, int64_t at, size_t len) {
    return filecopy_result(filecopy_send(sys, from, to, (off_t)at, len));
}

static int filecopy_clone(gyi_sys *sys, int from, int to) {
    GYI_FILE_CALL(sys, GYI_SYS_FILE, int, ioctl(to, FILECOPY_CLONE, from));
}

/* A file system without a word for it answers as a terminal would. */
int gyi_file_clone(gyi_sys *sys, int from, int to) {
    int err = filecopy_clone(sys, from, to);
    return err == -ENOTTY || err == -ENOSYS || err == -EINVAL ? -ENOTSUP : err;
}

#else

int64_t gyi_file_copy_range(gyi_sys *sys, int from, int to, size_t len) {
    (void)sys, (void)from, (void)to, (void)len;
    return -ENOTSUP;
}

int64_t gyi_file_send(gyi_sys *sys, int from, int to, int64_t at, size_t len) {
    (void)sys, (void)from, (void)to, (void)at, (void)len;
    return -ENOTSUP;
}

int gyi_file_clone(gyi_sys *sys, int from, int to) {
    (void)sys, (void)from, (void)to;
    return -ENOTSUP;
}

#endif
