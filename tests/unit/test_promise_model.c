/* SPDX-License-Identifier: ISC */
/* Random programs, run by gyre and by a model, must call the same functions with the same values in the same order.
 *
 * The model is ECMA-262 to the letter, without any of gyre's shortcuts: reactions are records, gy_finally() is made of
 * the two promises that the standard makes it of, resolving with a promise is NewPromiseResolveThenableJob. It frees
 * nothing. What a program does is drawn from a generator that is seeded anew for each callback by the callback's
 * number, so both worlds do the same as long as they are in the same order. */
#include <errno.h>

#include "gyre/gyre.h"
#include "gyre/promise.h"
#include "harness.h"

enum { HANDLES = 600, RECORDS = 6000, LOG = 6000, PHASES = 24, PROGRAMS = 600, GROUP = 3 };

typedef enum { NUM, ERR, PROMISE } kind;
typedef struct { kind kind; int64_t v; } value; /* PROMISE: the handle's number */

/* ---- what both worlds share ---------------------------------------------------------------------------------- */

typedef struct world {
    int (*make)(void); /* each gives the number of a handle */
    void (*resolve)(int promise, value v);
    int (*then)(int promise, int fulfilled, int rejected); /* numbers of callbacks, 0 for none */
    int (*last)(int promise, int callback);
    int (*group)(int how, const int *of, int count);
    void (*release)(int promise);
    void (*drain)(void);
} world;

static const world *w;
static struct { int what; int64_t value; } logs[2][LOG];
static int logged[2], which;
static int handles, callbacks;
static bool dead[HANDLES];
static uint64_t seed, state;

static unsigned dice(unsigned sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static void note(int what, int64_t v) {
    if (logged[which] == LOG) return;
    logs[which][logged[which]].what = what;
    logs[which][logged[which]++].value = v;
}

/* A handle that is alive, or -1. */
static int pick(void) {
    for (int tries = 0; handles && tries < 10; tries++) {
        int h = (int)dice((unsigned)handles);
        if (dice(2) && handles > 8) h = handles - 1 - (int)dice(8);
        if (!dead[h]) return h;
    }
    return -1;
}

static value draw(void) {
    unsigned d = dice(6);
    int h = pick();
    if (d < 2 && h >= 0) return (value){PROMISE, h};
    return d == 2 ? (value){ERR, -1 - (int)dice(99)} : (value){NUM, (int)dice(1000)};
}

static void operate(void) {
    int h = pick(), of[GROUP];
    if (handles > HANDLES - 4) return;
    unsigned d = h < 0 ? 0 : dice(14);
    if (d < 2) w->make();
    else if (d < 5) w->resolve(h, draw());
    else if (d < 9) {
        int f = dice(4) ? ++callbacks : 0, r = dice(2) ? ++callbacks : 0;
        w->then(h, f, r);
    } else if (d < 11) w->last(h, ++callbacks);
    else if (d < 13) {
        int count = 0, how = (int)dice(4);
        for (int i = (int)dice(GROUP + 1); i > 0; i--) {
            of[count] = pick();
            if (of[count] >= 0) count++;
        }
        if (count || how != 3) w->group(how, of, count);
    } else {
        dead[h] = true;
        w->release(h);
    }
}

/* What a callback does and returns. */
static value callback(int number, int64_t got) {
    note(number, got);
    state = seed ^ (uint64_t)number * 0x9e3779b97f4a7c15u;
    for (int i = (int)dice(3); i > 0; i--) operate();
    return draw();
}

static void program(int side, const world *of) {
    which = side;
    w = of;
    handles = callbacks = logged[side] = 0;
    for (int i = 0; i < HANDLES; i++) dead[i] = false;
    for (int phase = 0; phase < PHASES; phase++) {
        state = seed + (uint64_t)phase;
        for (int i = 0; i < 24; i++) operate();
        w->drain();
        note(-1, phase);
    }
}

/* ---- the model ----------------------------------------------------------------------------------------------- */

typedef enum { PASS, CALL, LAST, THUNK, RESOLVE, ELEMENT } handler;
typedef struct { int derived, call[2], next, state; handler kind; int64_t v; } record;
typedef struct { int state, first, last, left; bool locked, handled; int64_t v, error; int how, count; } model_promise;
typedef struct { int record, source, adopts; } job;

static struct {
    model_promise p[RECORDS];
    record r[RECORDS];
    job jobs[RECORDS];
    int late[RECORDS];
    int of[HANDLES];
    int promises, records, first, last, late_first, late_last;
    int64_t errors[RECORDS][GROUP];
} m;

static int model_new(void) {
    m.p[m.promises] = (model_promise){.first = -1, .last = -1};
    return m.promises++;
}

static int model_handle(int p) {
    m.of[handles] = p;
    return handles++;
}

static void model_settle(int p, int how, int64_t v) {
    model_promise *x = &m.p[p];
    x->state = how;
    x->v = v;
    x->locked = true;
    for (int r = x->first; r >= 0; r = m.r[r].next) m.jobs[m.last++] = (job){.record = r, .source = p, .adopts = -1};
    if (how == 2 && !x->handled) m.late[m.late_last++] = p;
}

static void model_resolve(int p, value v) {
    m.p[p].locked = true;
    if (v.kind != PROMISE) model_settle(p, v.kind == ERR ? 2 : 1, v.v);
    else if (m.of[v.v] == p) model_settle(p, 2, -EDEADLK);
    else m.jobs[m.last++] = (job){.record = -1, .source = m.of[v.v], .adopts = p};
}

static void model_react(int p, record r) {
    model_promise *x = &m.p[p];
    r.next = -1;
    m.r[m.records] = r;
    x->handled = true;
    if (x->state) m.jobs[m.last++] = (job){.record = m.records, .source = p, .adopts = -1};
    else if (x->first < 0) x->first = m.records;
    else m.r[x->last].next = m.records;
    x->last = m.records++;
}

static int model_derive(void) {
    int p = model_new();
    m.p[p].locked = true;
    return p;
}

static void model_last(record *r, int how, int64_t v) {
    value got = callback(r->call[0], 0);
    int q = r->derived, x;
    if (got.kind == ERR) model_settle(q, 2, got.v);
    else if (got.kind == PROMISE && m.of[got.v] == q) model_settle(q, 2, -EDEADLK);
    else {
        x = got.kind == PROMISE ? m.of[got.v] : model_new();
        if (got.kind == NUM) model_settle(x, 1, got.v);
        int t = model_derive();
        model_react(x, (record){.derived = t, .kind = THUNK, .state = how, .v = v});
        m.jobs[m.last++] = (job){.record = -1, .source = t, .adopts = q};
    }
}

/* `call[0]` is the place among the promises of the group. */
static void model_element(record *r, int how, int64_t v) {
    model_promise *x = &m.p[r->derived];
    if (x->state) return;
    if (x->how == 3 || (x->how == 0 && how == 2) || (x->how == 2 && how == 1)) {
        model_settle(r->derived, how, v);
        return;
    }
    m.errors[r->derived][r->call[0]] = v;
    x->error += v;
    if (--x->left) return;
    if (x->how == 2) model_settle(r->derived, 2, m.errors[r->derived][0]);
    else model_settle(r->derived, 1, x->error);
}

static void model_job(job j) {
    if (j.record < 0) {
        model_react(j.source, (record){.derived = j.adopts, .kind = RESOLVE});
        return;
    }
    record r = m.r[j.record];
    int how = m.p[j.source].state;
    int64_t v = m.p[j.source].v;
    if (r.kind == CALL && r.call[how - 1]) model_resolve(r.derived, callback(r.call[how - 1], v));
    else if (r.kind == LAST) model_last(&r, how, v);
    else if (r.kind == THUNK && how == 1) model_settle(r.derived, r.state, r.v);
    else if (r.kind == ELEMENT) model_element(&r, how, v);
    else model_settle(r.derived, how, v);
}

static int do_make(void) { return model_handle(model_new()); }
static void do_resolve(int h, value v) {
    if (!m.p[m.of[h]].locked) model_resolve(m.of[h], v);
}
static int do_then(int h, int f, int r) {
    int q = model_derive();
    model_react(m.of[h], (record){.derived = q, .kind = CALL, .call = {f, r}});
    return model_handle(q);
}
static int do_last(int h, int number) {
    int q = model_derive();
    model_react(m.of[h], (record){.derived = q, .kind = LAST, .call = {number, 0}});
    return model_handle(q);
}
static int do_group(int how, const int *of, int count) {
    int q = model_derive();
    m.p[q].how = how;
    m.p[q].left = count;
    if (!count) model_settle(q, how == 2 ? 2 : 1, how == 2 ? -ENOENT : 0);
    for (int i = 0; i < count; i++) model_react(m.of[of[i]], (record){.derived = q, .kind = ELEMENT, .call = {i, 0}});
    return model_handle(q);
}
static void do_release(int h) { (void)h; }
static void do_drain(void) {
    for (;;) {
        while (m.first < m.last) model_job(m.jobs[m.first++]);
        if (m.late_first == m.late_last) break;
        int p = m.late[m.late_first++];
        if (!m.p[p].handled) note(-2, m.p[p].v);
    }
}

static const world model = {do_make, do_resolve, do_then, do_last, do_group, do_release, do_drain};

/* ---- gyre ---------------------------------------------------------------------------------------------------- */

static gy_loop *loop;
static gy_promise *held[HANDLES];
static int numbers[HANDLES * 8]; /* what a context points to */

static int64_t number_of(gy_value v) {
    if (gy_value_err(v)) return gy_value_err(v);
    if (v.drop != gyi_value_borrowed) return v.num;
    const gy_list *list = v.ptr;
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++) sum += number_of(list->at[i]);
    return sum;
}

static gy_value to_gyre(value v) {
    if (v.kind == PROMISE) return gy_adopt(held[v.v]);
    return v.kind == ERR ? gy_err((int)v.v) : gy_num(v.v);
}

static int hold(gy_promise *p) {
    held[handles] = p;
    return handles++;
}

/* The context holds both numbers: [0] for a value and [1] for an error. */
static gy_value on_value(gy_value v, void *ctx) { return to_gyre(callback(((int *)ctx)[0], number_of(v))); }
static gy_value on_error(gy_value v, void *ctx) { return to_gyre(callback(((int *)ctx)[1], number_of(v))); }
static gy_value on_last(void *ctx) { return to_gyre(callback(((int *)ctx)[0], 0)); }

static int gyre_make(void) {
    gy_promise *p;
    CHECK_EQ(gy_promise_new(loop, &p), 0);
    return hold(p);
}
static void gyre_resolve(int h, value v) { gy_promise_resolve(held[h], to_gyre(v)); }
static int gyre_then(int h, int f, int r) {
    int *ctx = &numbers[handles * 2];
    ctx[0] = f;
    ctx[1] = r;
    return hold(gy_promise_ref(gy_then_catch(held[h], f ? on_value : NULL, r ? on_error : NULL, ctx)));
}
static int gyre_last(int h, int number) {
    int *ctx = &numbers[handles * 2];
    ctx[0] = number;
    return hold(gy_promise_ref(gy_finally(held[h], on_last, ctx)));
}
static int gyre_group(int how, const int *of, int count) {
    typedef gy_promise *group_fn(gy_loop *, gy_promise *const *, size_t);
    static group_fn *const make[] = {gy_all, gy_all_settled, gy_any, gy_race};
    gy_promise *in[GROUP];
    for (int i = 0; i < count; i++) in[i] = held[of[i]];
    return hold(gy_promise_ref(make[how](loop, in, (size_t)count)));
}
static void gyre_release(int h) { gy_promise_free(held[h]); }
static void gyre_drain(void) { CHECK_EQ(gy_loop_run(loop), 0); }
static void gyre_unhandled(gy_loop *l, gy_promise *p) {
    CHECK(l == loop);
    note(-2, number_of(gy_promise_value(p)));
}

static const world gyre = {gyre_make, gyre_resolve, gyre_then, gyre_last, gyre_group, gyre_release, gyre_drain};

TEST(promise_model, random_programs_run_as_the_standard_has_it) {
    int64_t steps = 0;
    for (int n = 0; n < PROGRAMS; n++) {
        seed = (uint64_t)(n + 1) * 0x2545f4914f6cdd1du;
        m.promises = m.records = m.first = m.last = m.late_first = m.late_last = 0;
        program(0, &model);
        CHECK(m.promises < RECORDS && m.last < RECORDS && m.records < RECORDS && logged[0] < LOG);
        CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim", .job_budget = n % 2 ? 0 : 7}), 0);
        CHECK_EQ(gy_promise_on_unhandled(loop, gyre_unhandled), 0);
        program(1, &gyre);
        for (int i = 0; i < handles; i++) {
            int h = n % 2 ? i : handles - 1 - i;
            if (!dead[h]) gy_promise_free(held[h]);
        }
        CHECK_EQ(gy_loop_free(loop), 0);
        for (int i = 0; i < logged[0]; i++) {
            if (i < logged[1] && logs[0][i].what == logs[1][i].what && logs[0][i].value == logs[1][i].value) continue;
            CHECK_FAIL("program %d, step %d: callback %d with %d, but %d with %d", n, i, logs[0][i].what,
                       (int)logs[0][i].value, i < logged[1] ? logs[1][i].what : -9, (int)logs[1][i].value);
        }
        CHECK_EQ(logged[1], logged[0]);
        steps += logged[0];
    }
    CHECK(steps > 60000);
}
