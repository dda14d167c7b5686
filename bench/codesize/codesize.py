#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""How much code a small gyre program is: text + data of static programs linked with musl, built for size.

Every source file of the library is compiled with -Os, one section per function, as a device would have it: with the one
backend that it needs and without malloc, as the programs bring an arena of their own. They become a static library, so
that a program gets the files it needs, and with them what these want of libc, and the linker throws away what of them is
not reached. Four programs are linked: an empty one, a timer, the same as a coroutine, an echo server. Printed as one line
of JSON, in bytes.
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


def kernel_headers(folder):
    """The kernel's headers, which musl-tools leaves out, without those of the other libc that lie beside them."""
    for name in ('linux', 'asm-generic', 'asm'):
        for place in (pathlib.Path('/usr/include'), *pathlib.Path('/usr/include').glob('*-linux-gnu*')):
            if (place / name).is_dir() and not (folder / name).exists():
                (folder / name).symlink_to(place / name)
    return ['-idirafter', folder]


def text_and_data(path):
    text, data = run(['size', path]).splitlines()[1].split()[:2]
    return int(text) + int(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--cc', default='musl-gcc', help='the compiler driver (default: musl-gcc)')
    args = parser.parse_args()
    names = run([ROOT / 'tests' / 'harness' / 'sources', '--platform', 'linux', 'library']).split()
    sources = [ROOT / name for name in names]
    with tempfile.TemporaryDirectory() as folder:
        headers = pathlib.Path(folder) / 'kernel'
        headers.mkdir()
        compiler = [args.cc, *FLAGS, *kernel_headers(headers), '-I', ROOT / 'include']
        objects = []
        for number, source in enumerate(sources):
            objects.append(pathlib.Path(folder) / f'{number}.o')
            run([*compiler, '-I', ROOT / 'src', '-c', source, '-o', objects[-1]])
        library = pathlib.Path(folder) / 'libgyre.a'
        run(['ar', 'rcs', library, *objects])
        sizes = {}
        for name in ('empty', 'timer', 'coro', 'echo'):
            program = pathlib.Path(folder) / name
            run([*compiler, ROOT / 'bench' / 'codesize' / f'{name}.c', library, *LINK, '-o', program])
            sizes[name] = text_and_data(program)
    print(json.dumps({'workload': 'codesize', 'contender': 'gyre',
                      'empty': sizes['empty'], 'timer_program': sizes['timer'], 'coro_program': sizes['coro'],
                      'echo_program': sizes['echo'],
                      'timer_program_without_libc_start': sizes['timer'] - sizes['empty'],
                      'coro_program_without_libc_start': sizes['coro'] - sizes['empty'],
                      'echo_program_without_libc_start': sizes['echo'] - sizes['empty']}))


if __name__ == '__main__':
    main()
