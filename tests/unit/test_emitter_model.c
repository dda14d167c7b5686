/* SPDX-License-Identifier: ISC */
/* Random operations on an emitter, inside and outside of its listeners, against a naive model.
 *
 * The model keeps arrays, and a stack of what is going on: each emit is a copy of its event's list, and a listener is
 * called from a copy only while the same registration (its serial number) is still in the list. Every call that the
 * library makes asks the model who has to be next. Listeners and emitters that the rules give back to the program are
 * overwritten and freed at once, so that a sanitizer sees whoever touches them again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emitter/emitter.h"
#include "harness.h"

enum { EARS = 20, NAMES = 6, NEW = 3, REMOVE = 4, STEPS = 60000, DEEP = 7, FRAMES = 400 };
static const char *const names[NAMES] = {"a", "b", "", "newListener", "removeListener", "c"};

typedef struct ear {
    gy_listener on;
    int id;
} ear;

typedef struct entry {
    int id;
    unsigned serial;
    bool once;
} entry;

typedef enum kind { EMIT, EMPTY_EVENT, EMPTY_ALL } kind;

/* Something that is going on. `implied` frames belong to the one below; the others to the operation that made them. */
typedef struct going {
    kind what;
    bool implied, closed, retiring, last_pass, wipe;
    entry copy[EARS];
    int length, at, called;
} going;

static struct {
    gy_emitter *emitter;
    ear *ears[EARS];
    int where[EARS];  /* the name, or -1 */
    int firing[EARS]; /* the name, or -1 */
    int in_use[EARS]; /* an operation on it has not returned */
    entry list[NAMES][EARS];
    int length[NAMES], order[NAMES], events;
    bool doomed[NAMES];
    going stack[FRAMES];
    int depth;
    unsigned serial;
    uint64_t random;
    int steps, nested, calls;
} m;

static unsigned dice(unsigned sides) {
    m.random ^= m.random << 13;
    m.random ^= m.random >> 7;
    m.random ^= m.random << 17;
    return (unsigned)((m.random >> 11) % sides);
}

static void hear(gy_listener *listener, const void *payload);
static void operate(void);

/* ---- the model ----------------------------------------------------------------------------------------------- */

static void model_attach(int name, int id, bool once, bool front) {
    if (m.length[name] == 0) m.order[m.events++] = name;
    if (front) memmove(&m.list[name][1], &m.list[name][0], (size_t)m.length[name] * sizeof(entry));
    m.list[name][front ? 0 : m.length[name]] = (entry){id, ++m.serial, once};
    m.length[name]++;
    m.where[id] = name;
}

static void model_detach(int id) {
    int name = m.where[id], at = 0, event = 0;
    while (m.list[name][at].id != id) at++;
    m.length[name]--;
    memmove(&m.list[name][at], &m.list[name][at + 1], (size_t)(m.length[name] - at) * sizeof(entry));
    m.where[id] = -1;
    if (m.length[name]) return;
    while (m.order[event] != name) event++;
    m.events--;
    memmove(&m.order[event], &m.order[event + 1], (size_t)(m.events - event) * sizeof(int));
    m.doomed[name] = false;
}

static void model_disarm(int name) {
    for (int id = 0; id < EARS; id++)
        if (name < 0 || m.firing[id] == name) m.firing[id] = -1;
}

static void model_wipe(void) {
    for (int id = 0; id < EARS; id++)
        if (m.where[id] >= 0) model_detach(id);
    model_disarm(-1);
}

static bool model_listed(const entry *e) {
    int name = m.where[e->id];
    for (int i = 0; name >= 0 && i < m.length[name]; i++)
        if (m.list[name][i].serial == e->serial) return true;
    return false;
}

static going *model_push(kind what, int name, bool implied) {
    CHECK(m.depth < FRAMES);
    going *g = &m.stack[m.depth++];
    *g = (going){.what = what, .implied = implied};
    if (what == EMPTY_ALL) return g;
    g->length = m.length[name];
    memcpy(g->copy, m.list[name], sizeof g->copy);
    return g;
}

/* One step of an emit. @return who is called now, or -1 when more has to be asked. */
static int model_emit(going *g) {
    entry *e = &g->copy[g->at];
    if (g->retiring) {
        bool call = m.firing[e->id] >= 0;
        g->retiring = false;
        g->at++;
        m.firing[e->id] = -1;
        g->called += call;
        return call ? e->id : -1;
    }
    if (!model_listed(e)) {
        g->at++;
        return -1;
    }
    if (e->once) {
        int name = m.where[e->id];
        model_detach(e->id);
        if (m.length[REMOVE]) {
            m.firing[e->id] = name;
            g->retiring = true;
            model_push(EMIT, REMOVE, true);
            return -1;
        }
    }
    g->at++;
    g->called++;
    return e->id;
}

static void model_empty_event(going *g) {
    entry *e = &g->copy[--g->length];
    if (!model_listed(e)) return;
    model_detach(e->id);
    if (m.length[REMOVE]) model_push(EMIT, REMOVE, true);
}

/* @return false when it has ended. */
static bool model_empty_all(going *g) {
    for (int i = 0; !g->last_pass && i < m.events; i++) {
        int name = m.order[i];
        if (!m.doomed[name] || name == REMOVE) continue;
        m.doomed[name] = false;
        model_push(EMPTY_EVENT, name, true);
        return true;
    }
    if (!g->last_pass) {
        g->last_pass = true;
        model_push(EMPTY_EVENT, REMOVE, true);
        return true;
    }
    if (!g->wipe) model_wipe();
    g->wipe = true;
    return false;
}

/* Who is called next, or -1 when the operation on top of the stack has ended. */
static int model_next(void) {
    while (m.depth) {
        going *g = &m.stack[m.depth - 1];
        bool more = !g->closed && (g->what == EMPTY_ALL || g->at < g->length);
        if (more && g->what == EMIT) {
            int id = model_emit(g);
            if (id >= 0) return id;
        } else if (more && g->what == EMPTY_EVENT) {
            model_empty_event(g);
        } else if (!more || !model_empty_all(g)) {
            if (!g->implied) return -1;
            m.depth--;
        }
    }
    return -1;
}

/* Ends an operation. @return how it went; it stays readable until the next push. */
static const going *model_pop(void) {
    CHECK_EQ(model_next(), -1);
    return &m.stack[--m.depth];
}

/* Whether the emitter looks as the model has it, inside and out. */
static void compare(void) {
    CHECK(gyi_emitter_check(m.emitter));
    const gy_listener *first = gy_event_first(m.emitter);
    for (int i = 0; i < m.events; i++, first = gy_event_next(first)) {
        int name = m.order[i];
        const gy_listener *l = first;
        CHECK(first && gy_listener_first(m.emitter, names[name]) == first);
        CHECK_EQ(gy_listener_count(m.emitter, names[name]), m.length[name]);
        for (int k = 0; k < m.length[name]; k++, l = gy_listener_next(l)) {
            CHECK(l && l == &m.ears[m.list[name][k].id]->on);
            CHECK(l->once == m.list[name][k].once && strcmp(l->name, names[name]) == 0);
        }
        CHECK(!l);
    }
    CHECK(!first);
}

/* ---- operations ---------------------------------------------------------------------------------------------- */

/* Gives an ear new memory, if the old is the program's again. */
static void renew(int id) {
    ear *old = m.ears[id];
    if (m.where[id] >= 0 || m.firing[id] >= 0 || m.in_use[id]) return;
    if (old) memset(old, 0xA5, sizeof *old);
    free(old);
    m.ears[id] = calloc(1, sizeof(ear));
    CHECK(m.ears[id]);
    m.ears[id]->id = id;
}

static void do_on(int name, int id) {
    bool once = dice(3) == 0, front = dice(3) == 0, told = m.length[NEW] > 0;
    int expected = m.where[id] >= 0 || m.firing[id] >= 0 ? -EALREADY : 0;
    if (told && !expected) model_push(EMIT, NEW, false);
    else told = false;
    m.in_use[id]++;
    int got = (once ? front ? gy_prepend_once : gy_once : front ? gy_prepend : gy_on)(m.emitter, names[name],
                                                                                   &m.ears[id]->on, hear);
    m.in_use[id]--;
    if (told) {
        bool closed = model_pop()->closed;
        expected = closed ? GY_ECLOSED : m.where[id] >= 0 ? -EALREADY : 0;
    }
    CHECK_EQ(got, expected);
    if (!got) model_attach(name, id, once, front);
}

static void do_off(int id) {
    bool was = m.where[id] >= 0, fired = m.firing[id] >= 0;
    if (was) model_detach(id);
    m.firing[id] = -1;
    bool told = was && m.length[REMOVE];
    if (told) model_push(EMIT, REMOVE, false);
    CHECK_EQ(gy_off(&m.ears[id]->on), was || fired);
    if (told) (void)model_pop();
    renew(id);
}

static void do_emit(int name) {
    char copy[16];
    strcpy(copy, names[name]);
    model_push(EMIT, name, false);
    int got = gy_emit(m.emitter, dice(2) ? copy : names[name], NULL);
    CHECK_EQ(got, model_pop()->called);
}

static void do_off_all(int name) {
    if (name >= 0) model_disarm(name);
    going *g = model_push(name < 0 ? EMPTY_ALL : EMPTY_EVENT, name, false);
    g->last_pass = !m.length[REMOVE];
    if (name < 0 && !g->last_pass)
        for (int i = 0; i < m.events; i++) m.doomed[m.order[i]] = true;
    gy_off_all(m.emitter, name < 0 ? NULL : names[name]);
    (void)model_pop();
}

static void do_close(void) {
    model_wipe();
    for (int i = 0; i < m.depth; i++) m.stack[i].closed = true;
    gy_emitter_close(m.emitter);
    memset(m.emitter, 0xA5, sizeof *m.emitter);
    free(m.emitter);
    m.emitter = calloc(1, sizeof *m.emitter);
    CHECK(m.emitter);
    for (int id = 0; id < EARS; id++) renew(id);
}

static void operate(void) {
    unsigned what = dice(1000);
    int id = (int)dice(EARS), name = (int)dice(NAMES);
    m.steps++;
    if (what < 400) do_on(name, id);
    else if (what < 640) do_off(id);
    else if (what < 970) do_emit(name);
    else if (what < 985) do_off_all(name);
    else if (what < 993) do_off_all(-1);
    else do_close();
    compare();
}

static void hear(gy_listener *listener, const void *payload) {
    (void)payload;
    int id = GY_OF(listener, ear, on)->id;
    m.calls++;
    CHECK_EQ(model_next(), id);
    compare();
    if (m.nested >= DEEP) return;
    m.nested++;
    for (unsigned n = dice(4); n > 1; n--) operate();
    m.nested--;
}

static void play(uint64_t seed) {
    memset(&m, 0, sizeof m);
    m.random = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
    m.emitter = calloc(1, sizeof *m.emitter);
    CHECK(m.emitter);
    for (int id = 0; id < EARS; id++) {
        m.where[id] = m.firing[id] = -1;
        renew(id);
    }
    while (m.steps < STEPS) {
        operate();
        CHECK_EQ(m.depth, 0);
        CHECK(!m.emitter->priv.emits);
    }
    do_close();
    for (int id = 0; id < EARS; id++) free(m.ears[id]);
    free(m.emitter);
    CHECK(m.calls > STEPS / 4);
}

TEST(emitter_model, random_operations_do_what_the_model_does) {
    const char *given = getenv("GY_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1, last = given ? seed : 4;
    for (; seed <= last; seed++) {
        printf("emitter_model: seed %llu (GY_TEST_SEED)\n", (unsigned long long)seed);
        play(seed);
    }
}
