/* SPDX-License-Identifier: ISC */
/** @file coro.hpp
 *  co_await in C++20, for the same requests and promises as in C.
 *
 *      gyre::task<std::size_t> copy(gy_loop *loop, gy_stream &from, gy_stream &to) {
 *          static char page[4096];
 *          std::size_t sum = 0;
 *          for (;;) {
 *              auto got = co_await gyre::read(from, GY_BUF(page));
 *              if (got.err == GY_EOF) co_return sum;
 *              if (got.err) co_return gyre::error{got.err};
 *              auto sent = co_await gyre::write(to, gy_buf{page, got.value});
 *              if (sent.err) co_return gyre::error{sent.err};
 *              sum += got.value;
 *          }
 *      }
 *
 *  A task is a coroutine that has the loop among its parameters. It begins inside the call, as an async function of
 *  ECMAScript does, and goes on by microtasks, in ECMAScript's order: so what it needs has been started when the call
 *  returns, two calls in a row run side by side, and a task nobody awaits is a task all the same. Its frame is the
 *  one allocation, from the loop's gy_alloc; if it fails, the task has the error -ENOMEM. Awaiting allocates nothing.
 *
 *  | co_await                                             | gives                                               |
 *  | ---------------------------------------------------- | --------------------------------------------------- |
 *  | `GY_CO(fs, &req, gy_fs_read(..., gy_settle_fs))`     | result<gy_value>, as in the table of request.h      |
 *  | a `gy_promise *`                                     | result<gy_value>, lent until the next co_await      |
 *  | a gyre::task<T>                                      | result<T>                                           |
 *  | a `gy_coro *`, started in C without `done`           | result<gy_value>                                    |
 *  | gyre::delay(GY_MS(5)), gyre::turn()                  | result<void>                                        |
 *  | gyre::read(stream, buf)                              | result<std::size_t>: bytes, or GY_EOF               |
 *  | gyre::write(stream, buf), gyre::close(stream)        | result<void>                                        |
 *  | gyre::self()                                         | the `gy_coro *` of the task itself, at once         |
 *
 *  Underneath, a task is a gy_coro (coro.h) whose function is its frame: cancelling, tokens and shielding are the same,
 *  and C may await it. There are no exceptions: errors are results, and an exception that leaves a task ends the
 *  program. The header compiles with -fno-exceptions and -fno-rtti.
 *
 *  A gyre::task that is destroyed before its coroutine has ended lets go of it: it goes on, and frees itself. A loop
 *  with tasks that have not ended cannot be freed, as with open streams (-EBUSY): cancel them and run it. A gyre::task
 *  that has ended may outlive its loop. Loop thread only.
 */
#ifndef GYRE_CORO_HPP
#define GYRE_CORO_HPP

#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>

#include "gyre/coro.h"

namespace gyre {

/** What became of something: 0 and the value, or an error. */
template <class T = gy_value> struct result {
    int err = 0; /**< 0 or the error */
    T value{};   /**< valid without an error */
    bool ok() const noexcept { return err == 0; } /**< whether there is a value */
};

/** What became of something that has nothing to say. */
template <> struct result<void> {
    int err = 0;                                  /**< 0 or the error */
    bool ok() const noexcept { return err == 0; } /**< whether it went well */
};

/** `co_return gyre::error{err};` ends a task with an error. */
struct error {
    int code; /**< negative */
};

template <class T = gy_value> class task;

/** @cond internal */
namespace detail {

/* The base of what is awaited as a request. It has kind(), user() and start(gy_loop *), and says what it gives. */
struct operation {};

template <class T> result<T> result_of(const gy_coro &co) noexcept {
    if constexpr (std::is_void_v<T>) {
        return {co.err};
    } else if constexpr (std::is_same_v<T, gy_value>) {
        return {co.err, co.value};
    } else {
        return {co.err, co.err ? T{} : static_cast<T>(co.value.num)};
    }
}

/* What C is told of a value. */
template <class T> gy_value value_of(const T &value) noexcept {
    if constexpr (std::is_same_v<T, gy_value>) {
        return value;
    } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        return gy_num(static_cast<std::int64_t>(value));
    } else if constexpr (std::is_pointer_v<T> && std::is_object_v<std::remove_pointer_t<T>>) {
        return gy_ptr(const_cast<std::remove_cv_t<std::remove_pointer_t<T>> *>(value));
    } else {
        return gy_num(0);
    }
}

template <class First, class... Rest> gy_loop *loop_of(const First &first, const Rest &...rest) noexcept {
    if constexpr (std::is_convertible_v<const First &, gy_loop *>) {
        return first;
    } else {
        static_assert(sizeof...(Rest) > 0, "one of the parameters of a gyre::task must be its gy_loop *");
        return loop_of(rest...);
    }
}

template <class Op> class request_awaiter {
public:
    request_awaiter(gy_coro *self, Op &&op) noexcept : self_(self), op_(std::move(op)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept {
        if (!gy_coro_await_begin(self_, op_.kind(), op_.user())) return;
        if constexpr (std::is_void_v<decltype(op_.start(self_->loop))>) {
            op_.start(self_->loop);
            gy_coro_await_end(self_, 0);
        } else {
            gy_coro_await_end(self_, op_.start(self_->loop));
        }
    }
    auto await_resume() const noexcept { return result_of<typename Op::value_type>(*self_); }

private:
    gy_coro *self_;
    Op op_;
};

struct promise_awaiter {
    gy_coro *self;
    gy_promise *promise;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { gy_coro_await(self, promise); }
    result<gy_value> await_resume() const noexcept { return result_of<gy_value>(*self); }
};

struct coro_awaiter {
    gy_coro *self, *other;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { gy_coro_await_coro(self, other); }
    result<gy_value> await_resume() const noexcept { return result_of<gy_value>(*self); }
};

struct turn_awaiter {
    gy_coro *self;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) noexcept { gy_coro_await_turn(self); }
    result<void> await_resume() const noexcept { return {self->err}; }
};

struct self_awaiter {
    gy_coro *self;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    gy_coro *await_resume() const noexcept { return self; }
};

template <class U> struct task_awaiter {
    gy_coro *self;
    typename task<U>::promise_type *other; /* none: there was no memory for it, and nothing to wait for */
    bool await_ready() const noexcept { return !other; }
    void await_suspend(std::coroutine_handle<>) noexcept {
        other->awaited++;
        gy_coro_await_coro(self, other);
    }
    result<U> await_resume() noexcept {
        result<U> got;
        got.err = other ? self->err : -ENOMEM;
        if constexpr (std::is_same_v<U, gy_value>) {
            if (!got.err) got.value = self->value;
        } else if (!got.err) {
            got = std::move(other->outcome);
        }
        if (other) {
            other->awaited--;
            other->leave(task<U>::promise_type::handle::from_promise(*other));
        }
        return got;
    }
};

/* What the promise of every task has: it is the gy_coro. */
struct frame : gy_coro {
    bool owned = true; /* a gyre::task refers to it */
    bool over = false;
    unsigned awaited = 0; /* by tasks that have still to look at the outcome */
    frame() noexcept : gy_coro{} {}
    frame(const frame &) = delete;
    frame &operator=(const frame &) = delete;
    ~frame() {
        gy_value left = gy_coro_take(this);
        if (left.drop) left.drop(left.ptr);
    }

    template <class... Args> static void *operator new(std::size_t size, const Args &...args) noexcept {
        return gyi_coro_frame_new(loop_of(args...), size);
    }
    static void operator delete(void *ptr) noexcept { gyi_coro_frame_free(ptr); }

    /* The coroutine is suspended for good. A destructor of the program's may run in here, and destroy the task. */
    void finish(std::coroutine_handle<> handle, gy_value given) noexcept {
        gy_coro_end(this, given);
        gyi_coro_frame_over(loop);
        over = true;
        leave(handle);
    }

    /* Somebody has let go of it, or it has ended itself. */
    void leave(std::coroutine_handle<> handle) noexcept {
        if (over && !owned && !awaited) handle.destroy();
    }
};

template <class T> struct returning : frame {
    result<T> outcome;
    void return_value(T given) { outcome.value = std::move(given); }
    void return_value(error failure) noexcept { outcome.err = failure.code < 0 ? failure.code : -EINVAL; }
    void return_value(result<T> whole) { outcome = std::move(whole); }
    gy_value outcome_value() const noexcept { return outcome.err ? gy_err(outcome.err) : value_of(outcome.value); }
};

template <> struct returning<void> : frame {
    result<void> outcome;
    void return_void() noexcept {}
    gy_value outcome_value() const noexcept { return gy_num(0); }
};

} // namespace detail
/** @endcond */

/* ---- what is awaited ----------------------------------------------------------------------------------------- */

/** A request that is to be started and waited for; made by GY_CO(). */
template <class Start> class request : public detail::operation {
public:
    using value_type = gy_value; /**< what it gives */
    /** `start` starts it, with the kind's callback. */
    request(const gy_request_kind *kind, void **user, Start start) noexcept : kind_(kind), user_(user), start_(start) {}
    /** @cond internal */
    const gy_request_kind *kind() const noexcept { return kind_; }
    void **user() const noexcept { return user_; }
    auto start(gy_loop *) { return start_(); }
    /** @endcond */

private:
    const gy_request_kind *kind_;
    void **user_;
    Start start_;
};

/** `co_await GY_CO(kind, handle, start)`: any request of request.h, whose kind, handle, start and callback are as for
 *  GY_PROMISE(). The start may return nothing. */
#define GY_CO(kind_name, handle, start_call)                                                                          \
    (::gyre::request{&gy_kind_##kind_name, &(handle)->user, [&] { return (start_call); }})

/** `co_await gyre::delay(GY_MS(5))`: so long. */
class delay : public detail::operation {
public:
    using value_type = void; /**< nothing to say */
    /** From now. */
    explicit delay(gy_ns after) noexcept : after_(after) {}
    /** @cond internal */
    const gy_request_kind *kind() const noexcept { return &gy_kind_timer; }
    void **user() noexcept { return &timer_.user; }
    int start(gy_loop *loop) noexcept { return gyi_coro_delay(loop, &timer_, after_); }
    /** @endcond */

private:
    gy_timer timer_{};
    gy_ns after_;
};

/** `co_await gyre::read(stream, buf)`: the number of bytes, at least 1, or GY_EOF. */
class read : public detail::operation {
public:
    using value_type = std::size_t; /**< bytes */
    /** As gy_stream_read(). */
    read(gy_stream &stream, gy_buf into) noexcept : stream_(stream), into_(into) {}
    /** @cond internal */
    const gy_request_kind *kind() const noexcept { return &gy_kind_read; }
    void **user() noexcept { return &stream_.user; }
    int start(gy_loop *) noexcept { return gy_stream_read(&stream_, into_, gy_settle_read); }
    /** @endcond */

private:
    gy_stream &stream_;
    gy_buf into_;
};

/** `co_await gyre::write(stream, buf)`: until all of it is written. */
class write : public detail::operation {
public:
    using value_type = void; /**< nothing to say */
    /** As gy_stream_write(). */
    write(gy_stream &stream, gy_buf what) noexcept : stream_(stream), what_(what) {}
    /** @cond internal */
    const gy_request_kind *kind() const noexcept { return &gy_kind_write; }
    void **user() noexcept { return &write_.user; }
    int start(gy_loop *) noexcept { return gy_stream_write(&stream_, &write_, what_, gy_settle_write); }
    /** @endcond */

private:
    gy_stream &stream_;
    gy_write write_{};
    gy_buf what_;
};

/** `co_await gyre::close(stream)`: until an open stream is closed, also in a task that was cancelled. */
class close : public detail::operation {
public:
    using value_type = void; /**< nothing to say */
    /** As gy_stream_close(). */
    explicit close(gy_stream &stream) noexcept : stream_(stream) {}
    /** @cond internal */
    const gy_request_kind *kind() const noexcept { return &gy_kind_close; }
    void **user() noexcept { return &stream_.user; }
    void start(gy_loop *) noexcept { gy_stream_close(&stream_, gy_settle_close); }
    /** @endcond */

private:
    gy_stream &stream_;
};

/** `co_await gyre::turn()`: until the loop has seen to everything else that is ready. */
struct turn {};

/** `co_await gyre::self()`: the task's own coroutine, without waiting: to set its token or its shield. */
struct self {};

/* ---- tasks --------------------------------------------------------------------------------------------------- */

/** The handle of a coroutine: what a function that awaits returns. T is default-constructible and movable, or void for
 *  a task that cannot fail by itself; gy_value may be an error. C sees numbers, pointers and gy_values; other results
 *  are 0 there. To be moved, not copied. */
template <class T> class [[nodiscard]] task {
public:
    /** The compiler's way in. */
    struct promise_type : detail::returning<T> {
        /** @cond internal */
        using handle = std::coroutine_handle<promise_type>;
        struct last {
            bool await_ready() const noexcept { return false; }
            void await_suspend(handle h) const noexcept { h.promise().finish(h, h.promise().outcome_value()); }
            void await_resume() const noexcept {}
        };

        template <class... Args> explicit promise_type(const Args &...args) noexcept {
            gy_loop *l = detail::loop_of(args...);
            gy_coro_begin(l, this, gy_coro_opts{go_on, nullptr, nullptr});
            gyi_coro_frame_begin(l);
        }
        static void go_on(gy_coro *co) { handle::from_promise(*static_cast<promise_type *>(co)).resume(); }
        task get_return_object() noexcept { return task(this); }
        static task get_return_object_on_allocation_failure() noexcept { return task(nullptr); }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        last final_suspend() const noexcept { return {}; }
        void unhandled_exception() noexcept { std::terminate(); }

        template <class Op>
            requires std::is_base_of_v<detail::operation, Op>
        detail::request_awaiter<Op> await_transform(Op op) noexcept {
            return {this, std::move(op)};
        }
        detail::promise_awaiter await_transform(gy_promise *p) noexcept { return {this, p}; }
        detail::coro_awaiter await_transform(gy_coro *co) noexcept { return {this, co}; }
        detail::turn_awaiter await_transform(turn) noexcept { return {this}; }
        detail::self_awaiter await_transform(self) noexcept { return {this}; }
        template <class U> detail::task_awaiter<U> await_transform(task<U> &other) noexcept {
            return {this, other.frame_};
        }
        template <class U> detail::task_awaiter<U> await_transform(task<U> &&other) noexcept {
            return {this, other.frame_};
        }
        /** @endcond */
    };

    /** The other has no coroutine afterwards. */
    task(task &&other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
    /** The former coroutine is let go of. */
    task &operator=(task &&other) noexcept {
        if (this != &other) {
            let_go();
            frame_ = std::exchange(other.frame_, nullptr);
        }
        return *this;
    }
    /** A coroutine that has not ended goes on by itself. */
    ~task() { let_go(); }

    /** Whether it has ended; true for one that could not begin. */
    bool done() const noexcept { return !frame_ || frame_->over; }

    /** What became of it, once: the value is moved out. -EAGAIN before it is done, -ENOMEM if it could not begin. */
    result<T> take() noexcept(std::is_void_v<T> || std::is_nothrow_move_constructible_v<result<T>>) {
        result<T> none;
        none.err = frame_ ? -EAGAIN : -ENOMEM;
        if (!frame_ || !frame_->over) return none;
        if constexpr (std::is_same_v<T, gy_value>) return {frame_->err, gy_coro_take(frame_)};
        else return std::move(frame_->outcome);
    }

    /** Asks it to end, as gy_coro_cancel(). */
    bool cancel() noexcept { return frame_ && gy_coro_cancel(frame_); }

    /** Lets go of it: it goes on by itself. @return 0, or -ENOMEM if it could not begin. */
    int detach() noexcept {
        int err = frame_ ? 0 : -ENOMEM;
        let_go();
        return err;
    }

    /** The coroutine for C, which may await it as long as this task exists; NULL if it could not begin. */
    gy_coro *coro() noexcept { return frame_; }

    /** Turns it into a promise, which is held by the library (promise.h). NULL if the task could not begin, or if it
     *  has ended and there is no memory for the promise. */
    gy_promise *promise() && noexcept {
        if (!frame_) return nullptr;
        gy_promise *p = nullptr;
        if (frame_->over) {
            if (gy_promise_new(frame_->loop, &p)) return nullptr;
            gy_promise_resolve(p, gy_coro_take(frame_));
            gy_promise *held = gy_then(p, nullptr, nullptr);
            gy_promise_free(p);
            p = held;
        } else {
            p = GY_PROMISE(frame_->loop, coro, frame_, gy_coro_join(frame_));
        }
        let_go();
        return p;
    }

private:
    template <class> friend class task;
    explicit task(promise_type *frame) noexcept : frame_(frame) {}
    void let_go() noexcept {
        promise_type *frame = std::exchange(frame_, nullptr);
        if (!frame) return;
        frame->owned = false;
        frame->leave(promise_type::handle::from_promise(*frame));
    }
    promise_type *frame_;
};

} // namespace gyre

#endif
