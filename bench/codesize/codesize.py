#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How much code a small gyre program is: text + data of static programs linked with musl, built for size.

Every source file of the library is compiled with -Os, one section per function, as a device would have it: with the one
backend that it needs and without malloc, as the programs bring an arena of their own. The linker throws away what is
not reached. Four programs are linked: an empty one, a timer, the same as a coroutine, an echo server. Printed as one
line of JSON, in bytes.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-DNDEBUG', '-DGYI_HAVE_EPOLL=1', '-DGYI_HAVE_KQUEUE=0', '-DGYI_HAVE_POLL=0',
         '-DGYI_HAVE_SIM=0', '-DGYI_HAVE_MALLOC=0', '-Os',
         '-ffunction-sections', '-fdata-sections', '-fno-asynchronous-unwind-tables', '-fvisibility=hidden']
LINK = ['-static', '-Wl,--gc-sections', '-Wl,--build-id=none']


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f'codesize: {" ".join(map(str, command[:3]))} ... failed:\n{done.stderr.strip()}')
    return done.stdout


def text_and_data(path):
    text, data = run(['size', path]).splitlines()[1].split()[:2]
    return int(text) + int(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cc', default='musl-gcc', help='the compiler driver (default: musl-gcc)')
    args = parser.parse_args()
    # Those of this platform; kqueue.c, for one, needs a header that Linux has not.
    sources = [ROOT / name for name in run([ROOT / 'tests' / 'harness' / 'sources', 'library']).split()]
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for number, source in enumerate(sources):
            objects.append(pathlib.Path(folder) / f'{number}.o')
            run([args.cc, *FLAGS, '-I', ROOT / 'include', '-I', ROOT / 'src', '-c', source, '-o', objects[-1]])
        sizes = {}
        for name in ('empty', 'timer', 'coro', 'echo'):
            program = pathlib.Path(folder) / name
            run([args.cc, *FLAGS, '-I', ROOT / 'include', ROOT / 'bench' / 'codesize' / f'{name}.c', *objects, *LINK,
                 '-o', program])
            sizes[name] = text_and_data(program)
    print(json.dumps({'workload': 'codesize', 'contender': 'gyre',
                      'empty': sizes['empty'], 'timer_program': sizes['timer'], 'coro_program': sizes['coro'],
                      'echo_program': sizes['echo'],
                      'timer_program_without_libc_start': sizes['timer'] - sizes['empty'],
                      'coro_program_without_libc_start': sizes['coro'] - sizes['empty'],
                      'echo_program_without_libc_start': sizes['echo'] - sizes['empty']}))


if __name__ == '__main__':
    main()
