/* SPDX-License-Identifier: ISC */
/* gy_run: input, output, limits, and each way in which it can end. */
#include "processes.h"

typedef struct job {
    gy_run run;
    int told, err;
    char out[4096], errors[64];
} job;

static void job_done(gy_run *run, int err) {
    job *j = GY_OF(run, job, run);
    j->told++;
    j->err = err;
    j->out[run->out.len] = 0;
    j->errors[run->errors.len] = 0;
}

static int job_start(gy_loop *loop, job *j, const char *input, gy_process_opts process) {
    gy_run_opts opts = {.process = process,
                        .input = {(void *)(uintptr_t)input, strlen(input)},
                        .out = {j->out, sizeof j->out - 1},
                        .errors = {j->errors, sizeof j->errors - 1},
                        .fn = job_done};
    return gy_run_start(loop, &j->run, opts);
}

static void job_run(const char *backend, job *j, const char *input, gy_process_opts process) {
    gy_loop *loop = new_loop(backend);
    memset(j, 0, sizeof *j);
    CHECK_EQ(job_start(loop, j, input, process), 0);
    CHECK_EQ(job_start(loop, j, input, process), -EALREADY);
    end_loop(loop);
    CHECK_EQ(j->told, 1);
}

TEST_BACKENDS(process_run, input_output_and_errors) {
    job j;
    job_run(backend, &j, "some input", (gy_process_opts){SHELL("cat; echo oh >&2; exit 5")});
    CHECK_EQ(j.err, 0);
    CHECK_STR(j.out, "some input");
    CHECK_STR(j.errors, "oh\n");
    CHECK_EQ(j.run.how.code, 5);
}

TEST_BACKENDS(process_run, input_that_nobody_reads_is_no_error) {
    enum { INPUT = 1000000 };
    static char input[INPUT + 1];
    job j;
    memset(input, 'x', INPUT);
    job_run(backend, &j, input, (gy_process_opts){SHELL("echo done")});
    CHECK_EQ(j.err, 0);
    CHECK_STR(j.out, "done\n");
}

TEST_BACKENDS(process_run, without_room_it_is_killed) {
    job j;
    job_run(backend, &j, "", (gy_process_opts){SHELL("while :; do echo 0123456789; done")});
    CHECK_EQ(j.err, -ENOBUFS);
    CHECK_EQ(j.run.out.len, sizeof j.out - 1);
    CHECK(strncmp(j.out, "0123456789\n0123", 15) == 0);
    CHECK_EQ(j.run.how.signo, SIGKILL);
    job_run(backend, &j, "", (gy_process_opts){SHELL("while :; do echo 0123456789 >&2; done")});
    CHECK_EQ(j.err, -ENOBUFS);
    CHECK_EQ(j.run.errors.len, sizeof j.errors - 1);
}

/* Exactly as much as there is room for is not too much. */
TEST_BACKENDS(process_run, room_may_be_used_up) {
    job j;
    job_run(backend, &j, "", (gy_process_opts){SHELL("printf %063d 7 >&2")});
    CHECK_EQ(j.err, 0);
    CHECK_EQ(j.run.errors.len, sizeof j.errors - 1);
}

TEST_BACKENDS(process_run, a_time_limit_is_told_with_the_end) {
    job j;
    job_run(backend, &j, "", (gy_process_opts){SHELL("sleep 1000 & echo begun; wait"), .timeout = GY_MS(200),
                                               .flags = GY_PROCESS_GROUP});
    CHECK_EQ(j.err, 0);
    CHECK(j.run.how.timed_out);
    CHECK_EQ(j.run.how.signo, SIGTERM);
}

TEST_BACKENDS(process_run, last_words_before_a_time_limit_are_kept) {
    static const char script[] = "trap 'echo bye; echo sorry >&2; exit 3' TERM; while :; do sleep 0.01; done";
    job j;
    job_run(backend, &j, "", (gy_process_opts){SHELL(script), .timeout = GY_MS(200)});
    CHECK_EQ(j.err, 0);
    CHECK(j.run.how.timed_out);
    CHECK_EQ(j.run.how.code, 3);
    CHECK_STR(j.out, "bye\n");
    CHECK_STR(j.errors, "sorry\n");
}

TEST_BACKENDS(process_run, last_words_need_room_too) {
    job j;
    job_run(backend, &j, "",
            (gy_process_opts){SHELL("trap 'printf %064d 7 >&2; exit 3' TERM; while :; do sleep 0.01; done"),
                              .timeout = GY_MS(200)});
    CHECK_EQ(j.err, -ENOBUFS);
    CHECK_EQ(j.run.errors.len, sizeof j.errors - 1);
}

/* Who is left behind would hold the output open for a minute. */
TEST_BACKENDS(process_run, a_time_limit_is_for_the_output_too) {
    job j;
    job_run(backend, &j, "", (gy_process_opts){SHELL("echo begun; sleep 60 & exit 4"), .timeout = GY_MS(300)});
    CHECK_EQ(j.err, 0);
    CHECK(j.run.how.timed_out);
    CHECK_EQ(j.run.how.code, 4);
    CHECK_STR(j.out, "begun\n");
}

static void cancel(gy_timer *timer) {
    job *j = timer->user;
    gy_run_cancel(&j->run);
    gy_run_cancel(&j->run);
}

TEST_BACKENDS(process_run, it_can_be_cancelled) {
    gy_loop *loop = new_loop(backend);
    job j = {.told = 0};
    gy_timer soon = {.user = &j};
    gy_run_cancel(&j.run);
    CHECK_EQ(job_start(loop, &j, "input", (gy_process_opts){SHELL("sleep 1000"), .flags = GY_PROCESS_DETACHED}), 0);
    gy_timer_start(loop, &soon, (gy_timer_opts){.fn = cancel, .after = GY_MS(5)});
    end_loop(loop);
    CHECK_EQ(j.told, 1);
    CHECK_EQ(j.err, GY_ECANCELED);
    CHECK_EQ(j.run.how.signo, SIGKILL);
}

TEST(process_run, a_program_that_cannot_be_started_is_the_result) {
    gy_loop *loop = new_loop("sim");
    job j = {.told = 0};
    CHECK_EQ(job_start(loop, &j, "", (gy_process_opts){.program = "/nonexistent"}), -ENOENT);
    CHECK_STR(j.run.process.step, "exec");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(j.told, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST(process_run, options_that_are_its_own_are_refused) {
    gy_loop *loop = new_loop("sim");
    gy_run run = {0};
    gy_stdio stdio = {0};
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {TRUE}}), -EINVAL);
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {TRUE, .fn = child_exit}, .fn = job_done}), -EINVAL);
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {TRUE, .stdio = &stdio}, .fn = job_done}), -EINVAL);
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {TRUE, .stdio_count = 1}, .fn = job_done}), -EINVAL);
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {TRUE}, .out = {NULL, 5}, .fn = job_done}), -EINVAL);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static void plain_done(gy_run *run, int err) {
    int *told = run->user;
    *told = err ? -1 : 1 + run->how.code;
}

TEST_BACKENDS(process_run, without_buffers_it_only_ends) {
    gy_loop *loop = new_loop(backend);
    int told = 0;
    gy_run run = {.user = &told};
    CHECK_EQ(gy_run_start(loop, &run, (gy_run_opts){.process = {SHELL("cat; echo x; exit 4")}, .fn = plain_done}), 0);
    end_loop(loop);
    CHECK_EQ(told, 5);
}
