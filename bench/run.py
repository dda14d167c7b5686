#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the bench programs and reports how gyre compares with its peers and with hand-written code.

Three things can be measured. Time (the default): contenders take turns (A B C A B C ...), so that a machine that slows
down slows all of them, and medians are compared. Instructions (--instructions): each program runs under callgrind with
two sizes, and the difference is divided by the difference in operations, so that starting and ending cancel out; only
user space is counted, and only the measured process. System calls (--syscalls): the same with strace.

Building is not done here; tools/bench does it and calls this with the directory of the programs.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import report

HERE = pathlib.Path(__file__).resolve().parent
CONTENDERS = ['gyre', 'callbacks', 'libuv', 'libev', 'libevent', 'hand', 'node']


class Workload:
    """One row of what is run: a program, its arguments, and the sizes for the modes in which it takes part."""

    def __init__(self, name, program, args=(), size=None, metrics=('cpu_ns',), counted=None, threads=False):
        self.name = name            # as in the report and in targets.json
        self.program = program      # the directory of the workload
        self.args = list(args)
        self.size = size            # for time; None: the program takes no size
        self.metrics = metrics      # which facts of the JSON line go into the report
        self.counted = counted      # the smaller of the two sizes for instructions and system calls; None: not counted
        self.threads = threads      # whether other threads belong to what is measured

    def command(self, folder, contender, size=None, extra=()):
        if contender == 'node':
            script, node = HERE / self.program / 'node.js', shutil.which('node')
            program = [node, str(script)] if node and script.exists() else None
        else:
            path = folder / f'{self.program}_{contender}'
            program = [str(path)] if path.exists() else None
        if program is None:
            return None
        sizes = ['--size', str(size)] if size else []
        return program + self.args + sizes + list(extra)


def variant(name):
    return ['--variant', name]


WORKLOADS = [
    Workload('dispatch', 'dispatch', variant('dispatch'), 2000000, counted=12800),
    Workload('dispatch_timeout', 'dispatch', variant('dispatch_timeout'), 1000000, counted=12800),
    Workload('one_event', 'dispatch', variant('one_event'), 300000, counted=6400),
    Workload('idle_turns', 'dispatch', variant('idle_turns'), 500000, counted=6400),
    Workload('restart_watcher', 'dispatch', variant('restart_watcher'), 2000000, counted=12800),
    Workload('echo_1', 'ping_pongs', ['--connections', '1'], 100000, counted=3200),
    Workload('echo_64', 'ping_pongs', ['--connections', '64'], 200000, counted=12800),
    Workload('accept_churn', 'ping_pongs', variant('accept_churn'), 5000, ('cpu_ns', 'wall_ns'), counted=640),
    Workload('tcp_write_batch', 'write_batch', [], 500000, counted=20000),
    Workload('million_timers', 'million_timers', [], 1000000,
             ('insert_ns', 'restart_ns', 'cancel_ns', 'expire_ns')),
    Workload('pipes', 'pipes', [], 500000, counted=20000),
    Workload('pump_tcp', 'pump', variant('pump_tcp'), 40000, ('cpu_ns', 'gb_per_s')),
    Workload('pump_local', 'pump', variant('pump_local'), 40000, ('cpu_ns', 'gb_per_s')),
    Workload('file_to_tcp', 'file_to_socket', variant('file_to_tcp'), 4096, ('cpu_ns', 'wall_ns', 'gb_per_s')),
    Workload('file_to_local', 'file_to_socket', variant('file_to_local'), 4096, ('cpu_ns', 'wall_ns', 'gb_per_s')),
    Workload('udp_pummel', 'udp_pummel', [], 1000000, counted=20000),
    Workload('async_pummel', 'async_pummel', variant('async_pummel'), 100000, ('cpu_ns', 'wall_ns'), threads=True),
    Workload('two_loops', 'async_pummel', variant('two_loops'), 50000, ('wall_ns',), counted=1000, threads=True),
    Workload('posts', 'posts', [], 1000000, ('cpu_ns', 'wakeups_per_batch'), counted=10000, threads=True),
    Workload('queue_work', 'pool', variant('queue_work'), 200000, ('cpu_ns', 'wall_ns'), threads=True),
    Workload('pool_round_trip', 'pool', variant('pool_round_trip'), 20000, ('cpu_ns', 'wall_ns'), threads=True),
    Workload('pool_round_trip_apart', 'pool', variant('pool_round_trip_apart'), 20000, ('cpu_ns', 'wall_ns'),
             threads=True),
    Workload('fs_stat', 'files', variant('fs_stat') + ['--under-way', '16'], 50000, ('cpu_ns', 'wall_ns'), threads=True),
    Workload('fs_stat_64', 'files', variant('fs_stat') + ['--under-way', '64'], 50000, threads=True),
    Workload('fs_read_4k', 'files', variant('fs_read_4k') + ['--under-way', '16'], 50000, ('cpu_ns', 'wall_ns'),
             threads=True),
    Workload('fs_read_4k_64', 'files', variant('fs_read_4k') + ['--under-way', '64'], 50000, threads=True),
    Workload('spawn_small', 'spawn', variant('spawn_small'), 100, ('wall_ns', 'cpu_ns')),
    Workload('spawn_large', 'spawn', variant('spawn_large'), 100, ('wall_ns', 'cpu_ns')),
    Workload('getaddrinfo', 'getaddrinfo', variant('getaddrinfo'), 10000, ('cpu_ns', 'wall_ns'), threads=True),
    Workload('lookups_hang', 'getaddrinfo', variant('lookups_hang'), 2000, ('alone_us', 'hung_us', 'slowdown'),
             threads=True),
    Workload('emit_1', 'emitter', ['--listeners', '1'], 10000000, ('cpu_ns', 'allocations'), counted=10000),
    Workload('emit_10', 'emitter', ['--listeners', '10'], 3000000, ('cpu_ns', 'allocations'), counted=10000),
    Workload('context_switch', 'fibers', variant('context_switch'), 20000000, counted=10000),
    Workload('fiber_switch', 'fibers', variant('fiber_switch'), 5000000, counted=10000),
    Workload('fiber_await', 'fibers', variant('fiber_await'), 5000000, counted=10000),
    Workload('fiber_spawn', 'fibers', variant('fiber_spawn'), 1000000, counted=10000),
    Workload('fiber_echo_1', 'fiber_echo', ['--connections', '1'], 100000, counted=3200),
    Workload('fiber_echo_64', 'fiber_echo', ['--connections', '64'], 200000, counted=12800),
    Workload('fiber_memory', 'fibers', variant('fiber_memory'), 20000, ('bytes',)),
    Workload('promise_then', 'promises', variant('promise_then'), 5000000, counted=10000),
    Workload('promise_chain', 'promises', variant('promise_chain'), 5000000, counted=10000),
    Workload('promise_all', 'promises', variant('promise_all'), 5000000, counted=10000),
    Workload('promise_memory', 'promises', variant('promise_memory'), 100000, ('bytes',)),
    Workload('idle_connections', 'idle_connections', [], None, ('user', 'resident', 'grown_kib')),
    Workload('lateness', 'lateness', [], None, ('median_us', 'p99_us', 'early')),
    Workload('memory', 'memory', [], None, ('io', 'timer', 'stream', 'write', 'async', 'descriptors')),
]
PHASES = {'insert': 'none', 'restart': 'insert', 'cancel': 'insert', 'expire': 'insert'}  # and what to take off
TIMERS_COUNTED = 200000


def fail(text):
    sys.exit(f'bench: {text}')


def execute(command, quiet=False):
    """Runs a command and returns its output; a failing contender ends everything, because a hole is not a result."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    except subprocess.TimeoutExpired:
        fail(f'no end within 15 minutes: {" ".join(command)}')
    if done.returncode != 0:
        fail(f'exit {done.returncode}: {" ".join(command)}\n{done.stderr.strip()[-2000:]}')
    return done.stderr if quiet else done.stdout


def facts(text):
    """The JSON line of a bench program."""
    line = [line for line in text.splitlines() if line.startswith('{"workload"')]
    if not line:
        fail(f'a bench program printed no facts, but: {text.strip()[:200]!r}')
    return json.loads(line[-1])


def chosen(workloads, only):
    if not only:
        return workloads
    picked = [w for w in workloads if any(re.fullmatch(pattern, w.name) for pattern in only)]
    return picked or fail(f'no workload is called {" or ".join(only)}')


def say(text):
    """Progress, for somebody who is watching."""
    if sys.stderr.isatty():
        print(f'\r{text:<60}\r', end='', file=sys.stderr, flush=True)


# ---- time ------------------------------------------------------------------------------------------------------------

def measure_time(args, contenders):
    """{row: {contender: {median, min, values}}}, a row being workload.metric."""
    rows = {}
    for workload in chosen(WORKLOADS, args.only):
        commands = {c: workload.command(args.folder, c, workload.size) for c in contenders}
        for turn in range(1 if workload.name in ('memory', 'idle_connections') else args.repeat):
            for contender, command in commands.items():
                if command is None:
                    continue
                say(f'{workload.name} {contender} {turn + 1}/{args.repeat}')
                got = facts(execute(command))
                for metric in workload.metrics:
                    if metric in got:
                        row = rows.setdefault(f'{workload.name}.{metric}', {})
                        row.setdefault(contender, []).append(got[metric])
    if 'gyre' in contenders and (not args.only or 'codesize' in args.only):
        measure_codesize(rows)
    say('')
    return {row: {c: {'median': statistics.median(v), 'min': min(v), 'values': v} for c, v in cells.items()}
            for row, cells in rows.items()}


def measure_codesize(rows):
    if not shutil.which('musl-gcc'):
        print('bench: no musl-gcc (package musl-tools), so the size of code is not measured', file=sys.stderr)
        return
    say('codesize')
    got = facts(execute([sys.executable, str(HERE / 'codesize' / 'codesize.py')]))
    for metric in ('timer_program', 'echo_program', 'empty'):
        rows[f'codesize.{metric}'] = {'gyre': [got[metric]]}


# ---- counting --------------------------------------------------------------------------------------------------------

def count_instructions(workload, command):
    """User-space instructions of one run. A client that is started by exec is not followed."""
    del workload
    with tempfile.TemporaryDirectory() as folder:
        text = execute(['valgrind', '--tool=callgrind', '--trace-children=no',
                        f'--callgrind-out-file={folder}/out.%p'] + command, quiet=True)
    # The client's half of the fork prints no sum, because it becomes another program.
    found = re.findall(r'^==\d+== Collected : (\d+)', text, re.MULTILINE)
    return {'all': int(found[-1])} if found else fail(f'callgrind counted nothing:\n{text[-2000:]}')


def count_syscalls(workload, command):
    """System calls of one run by name, and 'all'. Children are followed only where threads are what is measured."""
    with tempfile.NamedTemporaryFile('r') as out:
        follow = ['-f'] if workload.threads else []
        execute(['strace', '-qq', *follow, '-c', '-o', out.name] + command)
        counts = {}
        for line in out.read().splitlines():
            words = line.split()
            if len(words) >= 5 and words[3].isdigit():
                counts['all' if words[-1] == 'total' else words[-1]] = int(words[3])
    return counts


def per_operation(count, workload, folder, contender):
    """What one operation costs: two sizes, the second twice the first."""
    totals = []
    for size in (workload.counted, 2 * workload.counted):
        command = workload.command(folder, contender, size)
        if command is None:
            return None
        totals.append(count(workload, command))
    names = set(totals[0]) | set(totals[1])
    return {n: (totals[1].get(n, 0) - totals[0].get(n, 0)) / workload.counted for n in names}


def measure_counts(args, contenders, count, only_total):
    rows = {}
    for workload in chosen(WORKLOADS + [Workload('timers', 'million_timers')], args.only):
        for contender in contenders:
            if contender == 'node':
                continue
            if workload.name == 'timers':
                if only_total:
                    count_timers(args.folder, contender, count, rows, workload)
                continue
            if workload.counted is None or (only_total and workload.threads):
                continue
            say(f'{workload.name} {contender}')
            cost = per_operation(count, workload, args.folder, contender)
            if cost is not None:
                cell = {'median': round(cost.pop('all'), 4)}
                if not only_total:
                    cell['by_name'] = {n: round(v, 4) for n, v in sorted(cost.items()) if abs(v) >= 0.0005}
                rows.setdefault(workload.name, {})[contender] = cell
    say('')
    return rows


def count_timers(folder, contender, count, rows, workload):
    """Phases are what one run has more than another of the same size: the cost depends on how many timers there are."""
    totals = {}
    for phase in ['none', *PHASES]:
        command = workload.command(folder, contender, TIMERS_COUNTED, ['--phase', phase])
        if command is None:
            return
        say(f'timers {phase} {contender}')
        totals[phase] = count(workload, command)['all']
    for phase, before in PHASES.items():
        cost = (totals[phase] - totals[before]) / TIMERS_COUNTED
        rows.setdefault(f'timers.{phase}', {})[contender] = {'median': round(cost, 1)}


# ---- the program -----------------------------------------------------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=pathlib.Path, help='where the bench programs are (BUILD/bench)')
    parser.add_argument('--instructions', action='store_true', help='count instructions under callgrind')
    parser.add_argument('--syscalls', action='store_true', help='count system calls under strace')
    parser.add_argument('--time', action='store_true', help='measure time (the default when nothing else is asked for)')
    parser.add_argument('--all', action='store_true', help='all three')
    parser.add_argument('--only', action='append', metavar='WORKLOAD', help='only this one (a regular expression)')
    parser.add_argument('--contender', action='append', choices=CONTENDERS, help='only this one; may be repeated')
    parser.add_argument('--repeat', type=int, default=5, metavar='N', help='rounds for time (default: 5)')
    parser.add_argument('--json', type=pathlib.Path, metavar='FILE', help='write everything as JSON')
    parser.add_argument('--chart', type=pathlib.Path, metavar='FILE', help='draw an SVG chart')
    parser.add_argument('--list', action='store_true', help='list the workloads and end')
    parser.add_argument('--strict', action='store_true', help='exit 1 when a target is missed')
    return parser.parse_args()


def main():
    args = arguments()
    if args.list:
        print('\n'.join(w.name for w in WORKLOADS) + '\ntimers (instructions only)\ncodesize')
        return 0
    if not args.folder.is_dir():
        fail(f'there is no directory {args.folder}: build with tools/bench first')
    contenders = args.contender or CONTENDERS
    results = {}
    if args.instructions or args.all:
        shutil.which('valgrind') or fail('--instructions needs valgrind')
        results['instructions'] = measure_counts(args, contenders, count_instructions, True)
    if args.syscalls or args.all:
        shutil.which('strace') or fail('--syscalls needs strace')
        results['syscalls'] = measure_counts(args, contenders, count_syscalls, False)
    if args.time or args.all or not results:
        results['time'] = measure_time(args, contenders)
    targets = json.loads((HERE / 'targets.json').read_text())
    verdicts = report.judge(results, targets)
    print(report.text(results, verdicts, os.getloadavg()))
    if args.json:
        args.json.write_text(json.dumps({'results': results, 'targets': verdicts, 'load': os.getloadavg()}, indent=1))
    if args.chart:
        args.chart.write_text(report.chart(results))
    return 1 if args.strict and any(not v['met'] for v in verdicts) else 0


if __name__ == '__main__':
    sys.exit(main())
