/* SPDX-License-Identifier: ISC */
/* Pipelines whose bytes the kernel moves: the same bytes as by the other way, in the same order, with the same ends. */
#include <stdatomic.h>
#include <unistd.h>

#include "streams.h"
#include "sys/fd.h"
#include "sys/sys.h"

#ifdef __linux__
enum { PASS_KERNEL_MOVES = 1 };
#else
enum { PASS_KERNEL_MOVES = 0 };
#endif

enum { PASS_SIZE = (3 << 20) + 17, PASS_FILE_SIZE = (9 << 20) + 17, PASS_TURNS = 400000 };

typedef enum pass_end { PASS_FILE, PASS_PIPE, PASS_SOCKET, PASS_TCP } pass_end;

static const pass_end pass_pairs[][2] = {{PASS_FILE, PASS_SOCKET}, {PASS_FILE, PASS_PIPE},   {PASS_FILE, PASS_FILE},
                                         {PASS_PIPE, PASS_SOCKET}, {PASS_SOCKET, PASS_PIPE}, {PASS_PIPE, PASS_PIPE},
                                         {PASS_FILE, PASS_TCP},    {PASS_PIPE, PASS_TCP},    {PASS_TCP, PASS_PIPE}};
enum { PASS_PAIRS = 9 };

static struct pass {
    kit k;
    gy_pipeline p;
    gy_file_stream in_file, out_file;
    gy_stream in, out, *from, *to;
    int feed, drain, source, result; /* plain descriptors: the other ends, and the files; -1 */
    size_t size, fed, got, most;     /* most: what is drained in a turn */
    int told, err, closed;
    bool wrong, ended;
    char data[65536];
} ps;

/* ---- failing on purpose ------------------------------------------------------------------------------------------ */

#if defined(GYI_FAULTS) && GYI_FAULTS
static gyi_syscall pass_kind;
static int pass_which, pass_error; /* the how-manieth; 0: all */
static _Atomic int pass_count;

static int pass_fault(gyi_syscall kind) {
    if (kind != pass_kind) return 0;
    int n = atomic_fetch_add(&pass_count, 1) + 1;
    return !pass_which || n == pass_which ? pass_error : 0;
}

static void pass_fail(gyi_syscall kind, int which, int error) {
    pass_kind = kind;
    pass_which = which;
    pass_error = error;
    atomic_store(&pass_count, 0);
    gyi_sys_fault = error ? pass_fault : NULL;
}
#else
static void pass_fail(gyi_syscall kind, int which, int error) {
    (void)kind, (void)which, (void)error;
}
#endif

/* ---- both ends --------------------------------------------------------------------------------------------------- */

static int pass_file(size_t size) {
    char path[] = "/tmp/gyre-pass-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    for (size_t at = 0; at < size; at += sizeof ps.data) {
        size_t n = size - at < sizeof ps.data ? size - at : sizeof ps.data;
        kit_fill(ps.data, at, n);
        CHECK_EQ(write(fd, ps.data, n), (ssize_t)n);
    }
    return fd;
}

static void pass_tcp(int ends[2]) {
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server >= 0 && ends[0] >= 0);
    CHECK_EQ(bind(server, (struct sockaddr *)&in, len), 0);
    CHECK_EQ(listen(server, 1), 0);
    CHECK_EQ(getsockname(server, (struct sockaddr *)&in, &len), 0);
    CHECK_EQ(connect(ends[0], (struct sockaddr *)&in, len), 0);
    ends[1] = accept(server, NULL, NULL);
    CHECK(ends[1] >= 0);
    close(server);
}

/* Two that are connected, non-blocking from the beginning; of a pipe, the second is written to. */
static void pass_ends(pass_end end, int ends[2]) {
    if (end == PASS_TCP) pass_tcp(ends);
    else CHECK_EQ(end == PASS_PIPE ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(fcntl(ends[i], F_SETFL, O_NONBLOCK), 0);
}

static void pass_open_from(pass_end end) {
    int ends[2];
    ps.from = &ps.in;
    if (end == PASS_FILE) {
        ps.source = pass_file(ps.size);
        gy_file_stream_opts opts = {.fd = ps.source, .ways = GY_FILE_READ, .keep = true};
        CHECK_EQ(gy_file_stream_open(ps.k.loop, &ps.in_file, opts), 0);
        ps.from = &ps.in_file.stream;
    } else {
        pass_ends(end, ends);
        ps.feed = ends[1];
        CHECK_EQ(gy_stream_open(ps.k.loop, &ps.in, ends[0]), 0);
    }
}

static void pass_open_to(pass_end end) {
    int ends[2];
    ps.to = &ps.out;
    if (end == PASS_FILE) {
        ps.result = pass_file(0);
        gy_file_stream_opts opts = {.fd = ps.result, .ways = GY_FILE_WRITE, .keep = true};
        CHECK_EQ(gy_file_stream_open(ps.k.loop, &ps.out_file, opts), 0);
        ps.to = &ps.out_file.stream;
    } else {
        pass_ends(end, ends);
        ps.drain = ends[0];
        CHECK_EQ(gy_stream_open(ps.k.loop, &ps.out, ends[1]), 0);
    }
}

static void pass_open(const char *backend, const pass_end pair[2]) {
    memset(&ps, 0, sizeof ps);
    kit_open(&ps.k, backend);
    ps.feed = ps.drain = ps.source = ps.result = -1;
    ps.size = pair[0] == PASS_FILE && pair[1] == PASS_FILE ? PASS_FILE_SIZE : PASS_SIZE;
    ps.most = SIZE_MAX;
    pass_open_from(pair[0]);
    pass_open_to(pair[1]);
}

static void pass_told(gy_pipeline *p, int err) {
    CHECK(p == &ps.p);
    ps.told++;
    ps.err = err;
}

static void pass_start(gy_pipeline_opts opts) {
    opts.from = ps.from;
    opts.to = ps.to;
    opts.fn = pass_told;
    CHECK_EQ(gy_pipeline_start(ps.k.loop, &ps.p, opts), 0);
}

/* To a peer that may be gone: only the library's own signals are looked for. */
static ssize_t pass_write(const char *from, size_t len) {
    gyi_hush hush;
    gyi_fd_hush(&hush);
    ssize_t n = write(ps.feed, from, len);
    gyi_fd_unhush(&hush, n < 0 && errno == EPIPE);
    return n;
}

static void pass_feed(void) {
    while (ps.feed >= 0 && ps.fed < ps.size) {
        size_t n = ps.size - ps.fed < sizeof ps.data ? ps.size - ps.fed : sizeof ps.data;
        kit_fill(ps.data, ps.fed, n);
        ssize_t put = pass_write(ps.data, n);
        if (put <= 0) return;
        ps.fed += (size_t)put;
    }
    if (ps.feed >= 0) close(ps.feed);
    ps.feed = -1;
}

static void pass_drain(void) {
    size_t left = ps.most;
    while (ps.drain >= 0 && left && !ps.ended) {
        ssize_t n = read(ps.drain, ps.data, left < sizeof ps.data ? left : sizeof ps.data);
        if (n < 0) return;
        if (n == 0) ps.ended = true;
        ps.wrong |= !kit_matches(ps.data, ps.got, (size_t)n);
        ps.got += (size_t)n;
        left -= (size_t)n;
    }
}

static void pass_turn(void) {
    pass_feed();
    pass_drain();
    CHECK(gy_loop_step(ps.k.loop, GY_STEP_POLL) >= 0);
}

static void pass_turns(int count) {
    while (count-- > 0) pass_turn();
}

static void pass_until_told(void) {
    for (int i = 0; i < PASS_TURNS && !ps.told; i++) {
        pass_turn();
        if (i % 16 == 15) usleep(20); /* for the threads of the pool */
    }
    CHECK_EQ(ps.told, 1);
}

/* Everything that is the test's is closed, and what is left of the library's ends. */
static void pass_close(void) {
    pass_fail(GYI_SYS_KINDS, 0, 0);
    gy_stream_close(ps.from, NULL);
    gy_stream_close(ps.to, NULL);
    kit_run(&ps.k);
    CHECK_EQ(ps.told, 1);
    int *fds[] = {&ps.feed, &ps.drain, &ps.source, &ps.result};
    for (int i = 0; i < 4; i++)
        if (*fds[i] >= 0) close(*fds[i]);
    CHECK(!ps.wrong);
    kit_close(&ps.k);
}

/* What has arrived is what was sent, all of it. */
static void pass_complete(void) {
    CHECK_EQ(ps.err, 0);
    CHECK_EQ(ps.p.read_bytes, ps.size);
    CHECK_EQ(ps.p.written_bytes, ps.size);
    if (ps.result < 0) {
        for (int i = 0; i < PASS_TURNS && !ps.ended; i++) pass_drain();
        CHECK(ps.ended);
    } else {
        for (ssize_t n; (n = pread(ps.result, ps.data, sizeof ps.data, (off_t)ps.got)) > 0; ps.got += (size_t)n)
            ps.wrong |= !kit_matches(ps.data, ps.got, (size_t)n);
    }
    CHECK_EQ(ps.got, ps.size);
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(direct, every_pair_moves_everything) {
    for (int i = 0; i < PASS_PAIRS; i++) {
        pass_open(backend, pass_pairs[i]);
        pass_start((gy_pipeline_opts){0});
        for (int turn = 0; turn < PASS_TURNS && !ps.p.written_bytes; turn++) pass_turn();
        CHECK_EQ(ps.p.priv.rings == NULL, PASS_KERNEL_MOVES);
        pass_until_told();
        ps.most = SIZE_MAX;
        pass_complete();
        pass_close();
    }
}

#if defined(GYI_FAULTS) && GYI_FAULTS
TEST_BACKENDS(direct, every_pair_falls_back_without_loss) {
    for (int i = 0; i < PASS_PAIRS; i++)
        for (int which = 1; which < 4; which++) {
            bool files = pass_pairs[i][0] == PASS_FILE && pass_pairs[i][1] == PASS_FILE;
            pass_open(backend, pass_pairs[i]);
            pass_fail(files ? GYI_SYS_FILE : GYI_SYS_WRITE, which, -EINVAL);
            pass_start((gy_pipeline_opts){.high_water = 300000});
            int turn = 0;
            while (turn++ < PASS_TURNS && atomic_load(&pass_count) < which) pass_turn();
            if (PASS_KERNEL_MOVES) pass_until_told();
            else pass_turns(1);
            pass_fail(GYI_SYS_KINDS, 0, 0);
            if (!ps.told) pass_until_told();
            if (PASS_KERNEL_MOVES) pass_complete();
            pass_close();
        }
}

/* What is not in memory is sent by a thread. */
TEST_BACKENDS(direct, cold_files_are_sent_by_the_pool) {
    for (int i = 0; i < 2; i++) {
        pass_open(backend, pass_pairs[i]);
        ps.most = 100000;
        pass_fail(GYI_SYS_FILE, 0, -EIO); /* so that nothing is known to be in memory */
        pass_start((gy_pipeline_opts){.end = true});
        pass_until_told();
        ps.most = SIZE_MAX;
        pass_complete();
        pass_close();
    }
}

static void pass_closed(gy_stream *s) {
    (void)s;
    ps.closed++;
}

TEST_BACKENDS(direct, closing_an_end_waits_for_the_thread) {
    for (int turns = 0; turns < 12; turns++)
        for (int side = 0; side < 2; side++) {
            pass_open(backend, pass_pairs[0]);
            pass_fail(GYI_SYS_FILE, 0, -EIO);
            pass_start((gy_pipeline_opts){.keep = turns % 2 == 1});
            pass_turns(turns);
            gy_stream_close(side ? ps.to : ps.from, pass_closed);
            CHECK_EQ(ps.closed, 0);
            pass_until_told();
            pass_turns(3);
            CHECK_EQ(ps.closed, 1);
            CHECK(ps.err < 0);
            pass_close();
        }
}
#endif

TEST_BACKENDS(direct, a_slow_reader_stops_the_source_here_too) {
    for (int i = 0; i < PASS_PAIRS; i++) {
        /* What tcp takes without a reader may be all. */
        if (pass_pairs[i][1] == PASS_FILE || pass_pairs[i][0] == PASS_TCP || pass_pairs[i][1] == PASS_TCP) continue;
        pass_open(backend, pass_pairs[i]);
        ps.most = 0;
        pass_start((gy_pipeline_opts){.high_water = 4096});
        pass_turns(500);
        uint64_t stood = ps.p.written_bytes;
        CHECK_EQ(ps.told, 0);
        CHECK(ps.p.read_bytes < PASS_SIZE);
        pass_turns(20);
        CHECK_EQ(ps.p.written_bytes, stood);
        ps.most = 7001;
        pass_until_told();
        ps.most = SIZE_MAX;
        pass_complete();
        pass_close();
    }
}

TEST_BACKENDS(direct, stopping_in_the_middle_tells_once) {
    for (int i = 0; i < PASS_PAIRS; i++)
        for (int turns = 0; turns < 8; turns++) {
            pass_open(backend, pass_pairs[i]);
            ps.most = 10000;
            pass_start((gy_pipeline_opts){.keep = turns % 2 == 1});
            pass_turns(turns * turns);
            bool late = ps.told;
            CHECK(!late || pass_pairs[i][1] == PASS_TCP); /* which may have taken all by now */
            gy_pipeline_stop(&ps.p);
            CHECK_EQ(ps.told, late);
            pass_until_told();
            CHECK_EQ(ps.err, late ? 0 : GY_ECANCELED);
            CHECK_EQ(gy_stream_is_open(ps.from), turns % 2 == 1);
            CHECK_EQ(gy_stream_is_open(ps.to), turns % 2 == 1);
            pass_close();
        }
}

static void pass_wrote(gy_write *w, int err) { *(int *)w->user = err ? err : 1; }

/* A pipeline that was stopped while it waited for room has written whole calls only, and goes on where it was. */
TEST_BACKENDS(direct, what_was_kept_can_be_written_to) {
    int wrote = 0;
    gy_write w = {.user = &wrote};
    char more[1000];
    pass_open(backend, pass_pairs[0]);
    ps.most = 0;
    pass_start((gy_pipeline_opts){.keep = true});
    pass_turns(300);
    gy_pipeline_stop(&ps.p);
    pass_until_told();
    if (PASS_KERNEL_MOVES) {
        size_t so_far = (size_t)ps.p.written_bytes;
        CHECK(so_far > 0);
        kit_fill(more, so_far, sizeof more);
        CHECK_EQ(gy_stream_write(ps.to, &w, GY_BUF(more), pass_wrote), 0);
        ps.most = SIZE_MAX;
        for (int i = 0; i < 1000 && !wrote; i++) pass_turn();
        CHECK_EQ(wrote, 1);
        pass_turns(2);
        CHECK_EQ(ps.got, so_far + sizeof more);
    }
    pass_close();
}

TEST_BACKENDS(direct, what_was_queued_before_goes_first) {
    static char before[1 << 20];
    int wrote = 0;
    gy_write w = {.user = &wrote};
    for (int i = 0; i < 2; i++) {
        pass_open(backend, pass_pairs[i]);
        CHECK_EQ(lseek(ps.source, 0, SEEK_SET), 0);
        ps.in_file.priv.read_at = sizeof before; /* the file goes on where the write ends */
        kit_fill(before, 0, sizeof before);
        CHECK_EQ(gy_stream_write(ps.to, &w, GY_BUF(before), pass_wrote), 0);
        pass_start((gy_pipeline_opts){0});
        pass_until_told();
        CHECK_EQ(wrote, 1);
        CHECK_EQ(ps.err, 0);
        pass_drain();
        CHECK_EQ(ps.got, PASS_SIZE);
        pass_close();
    }
}

TEST_BACKENDS(direct, a_peer_that_goes_away_ends_it) {
    for (int i = 0; i < PASS_PAIRS; i++) {
        if (pass_pairs[i][1] == PASS_FILE || pass_pairs[i][1] == PASS_TCP) continue;
        pass_open(backend, pass_pairs[i]);
        ps.most = 100000;
        pass_start((gy_pipeline_opts){0});
        pass_turns(5);
        close(ps.drain);
        ps.drain = -1;
        pass_until_told();
        CHECK(ps.err == -EPIPE || ps.err == -ECONNRESET);
        pass_close();
    }
}

TEST_BACKENDS(direct, a_file_that_shrinks_ends_early) {
    pass_open(backend, pass_pairs[0]);
    ps.most = 0;
    pass_start((gy_pipeline_opts){0});
    pass_turns(300);
    CHECK_EQ(ps.told, 0);
    CHECK_EQ(ftruncate(ps.source, 1000), 0);
    ps.most = SIZE_MAX;
    if (PASS_KERNEL_MOVES) ps.got = 0;
    for (int i = 0; i < PASS_TURNS && !ps.told; i++) {
        /* What the kernel refers to is the file's pages: the bytes that were cut off may read as zeroes. */
        while (read(ps.drain, ps.data, sizeof ps.data) > 0) ps.got++;
        CHECK(gy_loop_step(ps.k.loop, GY_STEP_POLL) >= 0);
        if (i % 16 == 15) usleep(20);
    }
    CHECK_EQ(ps.err, 0);
    CHECK(ps.p.written_bytes < PASS_SIZE);
    pass_close();
}

TEST_BACKENDS(direct, paused_and_resumed) {
    pass_open(backend, pass_pairs[0]);
    pass_start((gy_pipeline_opts){0});
    gy_pipeline_pause(&ps.p);
    pass_turns(200);
    uint64_t stood = ps.p.read_bytes;
    CHECK(stood < PASS_SIZE);
    pass_turns(200);
    CHECK_EQ(ps.p.read_bytes, stood);
    gy_pipeline_resume(&ps.p);
    pass_until_told();
    pass_complete();
    pass_close();
}

static void pass_other_told(gy_pipeline *p, int err) { *(int *)p->user = err ? err : 1; }

/* The file is sent to the peer, and what the peer sends is written to the file, which is the same. */
TEST_BACKENDS(direct, two_that_cross) {
    gy_file_stream f = {0};
    int other = 0, ends[2];
    gy_pipeline back = {.user = &other};
    pass_open(backend, (const pass_end[]){PASS_FILE, PASS_SOCKET});
    gy_stream_close(ps.from, NULL);
    gy_stream_close(ps.to, NULL);
    close(ps.drain);
    kit_run(&ps.k);
    pass_ends(PASS_SOCKET, ends);
    CHECK_EQ(gy_stream_open(ps.k.loop, &ps.out, ends[1]), 0);
    gy_file_stream_opts opts = {.fd = ps.source, .keep = true, .limit = PASS_SIZE};
    CHECK_EQ(gy_file_stream_open(ps.k.loop, &f, opts), 0);
    ps.drain = ends[0];
    ps.feed = dup(ends[0]);
    ps.from = &f.stream;
    pass_start((gy_pipeline_opts){.keep = true});
    gy_pipeline_opts reverse = {.from = &ps.out, .to = &f.stream, .keep = true, .fn = pass_other_told};
    CHECK_EQ(gy_pipeline_start(ps.k.loop, &back, reverse), 0);
    for (int i = 0; i < PASS_TURNS && !(ps.told && ps.got == PASS_SIZE && back.written_bytes == PASS_SIZE); i++) {
        pass_turn();
        if (i % 16 == 15) usleep(20);
    }
    CHECK_EQ(ps.got, PASS_SIZE);
    CHECK_EQ(back.written_bytes, PASS_SIZE);
    gy_pipeline_stop(&back);
    for (int i = 0; i < 1000 && !other; i++) pass_turn();
    CHECK_EQ(other, GY_ECANCELED);
    pass_close();
}

/* Its length is known only by reading it. */
TEST_BACKENDS(direct, a_file_that_says_it_is_empty) {
    int fd = open("/proc/self/status", O_RDONLY);
    if (fd < 0) SKIP("there is no /proc");
    pass_open(backend, pass_pairs[2]);
    gy_stream_close(ps.from, NULL);
    kit_turns(&ps.k, 3);
    CHECK_EQ(gy_file_stream_open(ps.k.loop, &ps.in_file, (gy_file_stream_opts){.fd = fd, .keep = true}), 0);
    pass_start((gy_pipeline_opts){0});
    pass_until_told();
    CHECK_EQ(ps.err, 0);
    CHECK(ps.p.written_bytes > 100);
    CHECK_EQ(pread(ps.result, ps.data, 5, 0), 5);
    CHECK_EQ(memcmp(ps.data, "Name:", 5), 0);
    pass_close();
    close(fd);
}
