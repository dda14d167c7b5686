/* SPDX-License-Identifier: ISC */
/* Tasks of C++20 (coro.hpp): order, results, memory, cancelling, and the way to C and back. A program of its own, since
 * it is the only test in C++; its exit status is 0 only when every check held. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <gyre/coro.hpp>

static int failures;

#define CHECK(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            std::printf("%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);                                 \
            failures++;                                                                                               \
        }                                                                                                             \
    } while (0)

/* ---- a loop whose memory is counted ---------------------------------------------------------------------------- */

static gy_loop *loop;
static int blocks, made, allowed;
static char trace[200];

static void *counted_alloc(std::size_t size, void *) {
    if (allowed <= 0) return nullptr;
    allowed--;
    blocks++;
    made++;
    return std::malloc(size);
}

static void counted_free(void *ptr, void *) {
    blocks--;
    std::free(ptr);
}

static void begin(const char *backend = "sim") {
    allowed = 100000;
    trace[0] = 0;
    gy_loop_opts opts{};
    opts.backend = backend;
    opts.alloc = {counted_alloc, counted_free, nullptr};
    if (gy_loop_new(&loop, opts)) std::exit(2);
}

static void run() { CHECK(gy_loop_run(loop) == 0); }

static void end() {
    run();
    CHECK(gy_loop_free(loop) == 0);
    CHECK(blocks == 0);
}

static void say(const char *what) {
    if (trace[0]) std::strcat(trace, " ");
    std::strcat(trace, what);
}

static gy_promise *settled(gy_value value) {
    gy_promise *p = nullptr;
    if (gy_promise_new(loop, &p)) std::exit(2);
    gy_promise_resolve(p, value);
    return p;
}

static gy_value say_then(gy_value, void *ctx) {
    say(static_cast<const char *>(ctx));
    return gy_num(0);
}

/* A chain of reactions, one a job: 1, 2, 3. */
static void ruler() {
    static char name[3][2] = {"1", "2", "3"};
    gy_promise *p = settled(gy_num(0)), *q = p;
    for (auto &n : name) q = gy_then(q, say_then, n);
    gy_promise_free(p);
}

/* ---- order ----------------------------------------------------------------------------------------------------- */

static gyre::task<void> awaits_once(gy_loop *, gy_promise *p, const char *name) {
    say("begin");
    auto got = co_await p;
    CHECK(got.ok() && got.value.num == 5);
    say(name);
}

static gyre::task<int> gives(gy_loop *, int n) { co_return n; }

static gyre::task<void> awaits_ended(gy_loop *l) {
    auto got = co_await gives(l, 4);
    CHECK(got.ok() && got.value == 4);
    say("parent");
}

static void test_order() {
    begin();
    gy_promise *p = settled(gy_num(5));
    ruler();
    auto t = awaits_once(loop, p, "once");
    say("started");
    CHECK(!t.done());
    CHECK(t.take().err == -EAGAIN);
    run();
    CHECK(t.done());
    CHECK(t.take().ok());
    CHECK(std::strcmp(trace, "begin started 1 once 2 3") == 0);
    gy_promise_free(p);
    trace[0] = 0;
    ruler();
    auto u = awaits_ended(loop);
    run();
    CHECK(std::strcmp(trace, "1 parent 2 3") == 0);
    gy_loop *former = loop;
    CHECK(gy_loop_free(former) == 0); /* tasks that have ended may outlive their loop */
}

/* ---- requests -------------------------------------------------------------------------------------------------- */

static gyre::task<std::size_t> echo(gy_loop *, gy_stream &stream) {
    char page[64];
    std::size_t sum = 0;
    int err = 0;
    while (!err) {
        auto got = co_await gyre::read(stream, GY_BUF(page));
        err = got.err;
        if (!err) {
            sum += got.value;
            err = (co_await gyre::write(stream, gy_buf{page, got.value})).err;
        }
    }
    CHECK((co_await gyre::close(stream)).ok());
    if (err != GY_EOF) co_return gyre::error{err};
    co_return sum;
}

static gyre::task<int> asks(gy_loop *l, gy_stream &near, gy_stream &far) {
    auto other = echo(l, far);
    char word[] = "ping", heard[16];
    for (int i = 0; i < 10; i++) {
        CHECK((co_await gyre::write(near, gy_buf{word, 4})).ok());
        gy_stream *stream = &near;
        auto got = co_await GY_CO(read, stream, gy_stream_read(stream, GY_BUF(heard), gy_settle_read));
        CHECK(got.ok() && got.value.num == 4 && std::memcmp(heard, "ping", 4) == 0);
    }
    co_await gyre::close(near);
    auto sum = co_await other;
    CHECK(sum.ok() && sum.value == 40);
    co_return 10;
}

static gyre::task<int> stats(gy_loop *l) {
    gy_fs file{};
    auto got = co_await GY_CO(fs, &file, gy_fs_stat(l, &file, "/", gy_settle_fs));
    CHECK(got.ok());
    gy_fs none{};
    got = co_await GY_CO(fs, &none, gy_fs_stat(l, &none, "/there/is/none", gy_settle_fs));
    CHECK(got.err == -ENOENT);
    gy_fs wrong{};
    got = co_await GY_CO(fs, &wrong, gy_fs_stat(l, &wrong, nullptr, gy_settle_fs));
    co_return gyre::error{got.err};
}

static gyre::task<int> sleeps(gy_loop *l) {
    gy_ns before = gy_loop_now(l);
    CHECK((co_await gyre::delay(GY_MS(30))).ok());
    gy_timer timer{};
    gy_timer_opts opts{};
    opts.fn = gy_settle_timer;
    opts.after = GY_MS(20);
    co_await GY_CO(timer, &timer, gy_timer_start(l, &timer, opts)); /* a start that returns nothing */
    CHECK((co_await gyre::turn()).ok());
    co_return static_cast<int>((gy_loop_now(l) - before) / GY_MS(1));
}

static void test_requests() {
    begin("poll");
    gy_stream near{}, far{};
    CHECK(gy_stream_pair(loop, &near, &far) == 0);
    auto t = asks(loop, near, far);
    run();
    CHECK(t.take().value == 10);
    auto s = stats(loop);
    run();
    CHECK(s.done() && s.take().err < 0);
    s.detach();
    t.detach();
    end();

    begin();
    int before = made;
    auto d = sleeps(loop);
    run();
    CHECK(d.take().value == 50);
    CHECK(made == before + 1); /* the frame, and nothing else */
    d.detach();
    end();
}

/* ---- results and memory ---------------------------------------------------------------------------------------- */

static gyre::task<std::unique_ptr<int>> makes(gy_loop *, bool fails) {
    co_await gyre::delay(1);
    if (fails) co_return gyre::error{-EIO};
    co_return std::make_unique<int>(7);
}

static gyre::task<int> uses(gy_loop *l) {
    auto first = makes(l, false), second = makes(l, true); /* side by side */
    auto a = co_await first;
    auto b = co_await second;
    CHECK(a.ok() && *a.value == 7);
    CHECK(b.err == -EIO && !b.value);
    auto again = co_await gyre::task<int>(gives(l, 1));
    co_return *a.value + again.value;
}

static int dropped;
static void drop(void *ptr) { dropped += *static_cast<int *>(ptr); }

static gyre::task<> owns(gy_loop *, int *what) { co_return gy_own(what, drop); }

static gyre::task<> hands_on(gy_loop *l, int *what) {
    auto got = co_await owns(l, what);
    CHECK(got.value.ptr == what && dropped == 0);
    co_return got.value;
}

static gyre::task<int> needs_memory(gy_loop *l, gyre::task<int> (*give)(gy_loop *, int)) {
    allowed = 0;
    auto got = co_await give(l, 1);
    allowed = 100000;
    co_return got.err == -ENOMEM ? 1 : 0;
}

static void test_results() {
    begin();
    auto t = uses(loop);
    run();
    CHECK(t.take().value == 8);
    t.detach();

    int ten = 10;
    dropped = 0;
    {
        auto o = owns(loop, &ten);
        CHECK(o.done());
    }
    CHECK(dropped == 10); /* nobody asked */
    dropped = 0;
    auto h = hands_on(loop, &ten);
    run();
    gy_value v = h.take().value;
    CHECK(v.ptr == &ten && v.drop == drop && dropped == 0);
    h.detach();
    CHECK(dropped == 0); /* it is ours now */
    end();
}

/* Through a pointer that the compiler does not see through: it may do without a frame where it sees all of its life. */
static gyre::task<int> (*volatile gives_hidden)(gy_loop *, int) = gives;

static void test_no_memory() {
    begin();
    allowed = 0;
    auto t = gives_hidden(loop, 1);
    CHECK(t.done() && t.take().err == -ENOMEM && !t.cancel() && !t.coro());
    CHECK(gives_hidden(loop, 1).detach() == -ENOMEM);
    CHECK(gives_hidden(loop, 1).promise() == nullptr);
    allowed = 100000;
    auto n = needs_memory(loop, gives_hidden);
    run();
    CHECK(n.take().value == 1);
    n.detach();
    end();
}

/* ---- life and cancelling --------------------------------------------------------------------------------------- */

struct guard {
    int *count;
    ~guard() { ++*count; }
};

static gyre::task<void> goes_on(gy_loop *, int *ended) {
    guard g{ended};
    co_await gyre::delay(GY_MS(5));
    ++*ended;
}

static gyre::task<int> obeys(gy_loop *, gy_cancel *token, int *shielded) {
    if (token) (co_await gyre::self())->token = token;
    auto got = co_await gyre::delay(GY_S(100));
    CHECK(got.err == GY_ECANCELED);
    CHECK((co_await gyre::turn()).err == GY_ECANCELED);
    (co_await gyre::self())->shielded = true;
    if ((co_await gyre::delay(GY_MS(5))).ok()) ++*shielded;
    co_return gyre::error{got.err};
}

static gyre::task<int> passes_down(gy_loop *l, int *shielded) {
    auto got = co_await obeys(l, nullptr, shielded);
    co_return gyre::error{got.err};
}

static gyre::task<std::unique_ptr<int>> makes_later(gy_loop *) {
    co_await gyre::delay(GY_MS(1));
    co_return std::make_unique<int>(7);
}

static gyre::task<int> awaits_what_goes(gy_loop *, gyre::task<std::unique_ptr<int>> &other) {
    auto got = co_await other;
    co_return got.ok() ? *got.value : got.err;
}

/* Who lets go of a task may do so while somebody else awaits it. */
static void test_let_go_while_awaited() {
    begin();
    auto what = makes_later(loop);
    auto first = awaits_what_goes(loop, what), second = awaits_what_goes(loop, what);
    what.detach();
    run();
    CHECK(first.take().value == 7);
    CHECK(second.take().value == -EBUSY);
    first.detach();
    second.detach();
    end();
}

static void test_life() {
    begin();
    int ended = 0, shielded = 0;
    CHECK(goes_on(loop, &ended).detach() == 0);
    {
        auto t = goes_on(loop, &ended);
        auto u = std::move(t);
        CHECK(t.done() && !u.done());
    }
    CHECK(ended == 0);
    run();
    CHECK(ended == 4);

    auto a = passes_down(loop, &shielded);
    gy_cancel token{};
    auto b = obeys(loop, &token, &shielded);
    CHECK(a.cancel() && !a.cancel());
    gy_cancel_now(&token, -EIO);
    CHECK(!a.done());
    run();
    CHECK(shielded == 2);
    CHECK(a.take().err == GY_ECANCELED && b.take().err == GY_ECANCELED);
    gy_cancel_close(&token);
    a = passes_down(loop, &shielded);
    CHECK(gy_loop_free(loop) == -EBUSY);
    a.cancel();
    a.detach();
    CHECK(gy_loop_free(loop) == -EBUSY);
    b.detach();
    end();
}

/* ---- C and back ------------------------------------------------------------------------------------------------ */

struct c_side {
    gy_coro co;
    gy_timer timer;
    gy_coro *other;
    int err;
    std::int64_t num;
};

static void c_awaits(gy_coro *co) {
    c_side *c = GY_OF(co, c_side, co);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_CORO(co, c->other);
    c->err = co->err;
    c->num = co->value.num;
    GY_AWAIT_DELAY(co, &c->timer, GY_MS(1));
    GY_ASYNC_END(co, gy_num(c->num + 1));
}

static gyre::task<int> slow(gy_loop *, int n) {
    co_await gyre::delay(GY_MS(1));
    if (n < 0) co_return gyre::error{n};
    co_return n;
}

static gyre::task<std::int64_t> awaits_c(gy_loop *, gy_coro *co) {
    auto got = co_await co;
    co_return got.value.num;
}

static gy_value note(gy_value value, void *ctx) {
    *static_cast<std::int64_t *>(ctx) = gy_value_err(value) ? gy_value_err(value) : value.num;
    return gy_num(0);
}

static void test_c() {
    begin();
    auto t = slow(loop, 40);
    c_side c{};
    c.other = t.coro();
    gy_coro_start(loop, &c.co, gy_coro_opts{c_awaits, nullptr, nullptr});
    auto back = awaits_c(loop, &c.co);
    run();
    CHECK(c.err == 0 && c.num == 40);
    CHECK(back.take().value == 41);
    t.detach();
    back.detach();

    std::int64_t pending = 0, ended = 0, failing = 0;
    gy_then_catch(slow(loop, 3).promise(), note, note, &pending);
    gy_then_catch(gives(loop, 4).promise(), note, note, &ended);
    gy_then_catch(slow(loop, -EPIPE).promise(), note, note, &failing);
    run();
    CHECK(pending == 3 && ended == 4 && failing == -EPIPE);
    gy_promise *null = nullptr;
    auto wrong = [](gy_loop *, gy_promise *p) -> gyre::task<int> { co_return (co_await p).err; }(loop, null);
    run();
    CHECK(wrong.take().value == -EINVAL);
    wrong.detach();
    end();
}

int main() {
    test_order();
    test_requests();
    test_results();
    test_no_memory();
    test_life();
    test_let_go_while_awaited();
    test_c();
    if (failures) std::printf("%d checks failed\n", failures);
    return failures != 0;
}
