#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Checks what the compiler does not: who includes whom, how long things are, and that every file has its test.

Run from the top folder. Prints one line for each offence and exits with 1 when there is any.
"""
import pathlib
import re
import sys

MOST_COLUMNS = 120
MOST_FUNCTION = 70
MOST_FILE = {"src/backends": 300, "src": 500, "include": 500, "tests": 500, "bench": 500, "examples": 200, "tools": 500}
SPDX = "SPDX-License-Identifier: ISC"
# Files whose unit test stands elsewhere, with the reason.
TESTED_ELSEWHERE = {
    "src/emitter/check.c": "is itself the invariant checker that the emitter's tests run after each step",
    "src/emitter/event.c": "tests/unit/test_emitter_event.c",
    "src/emitter/later.c": "tests/unit/test_emitter_later.c",
}

problems = []


def complain(path, line, text):
    problems.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")


def read_floors():
    """Folder -> height, and public header -> height of its floor."""
    height, header = {}, {}
    lines = pathlib.Path("tools/layers.txt").read_text().splitlines()
    level = -1
    for line in (x for x in lines if x.strip() and not x.startswith("#")):
        folders, _, headers = line.partition(":")
        level += folders not in height  # a floor with many headers has several lines
        for folder in folders.split():
            height[folder] = level
        for name in headers.split():
            header.setdefault(name, level)
    return height, header


def check_includes(path, lines, height, header):
    folder = path.parts[1]
    for number, line in enumerate(lines, 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        head, _, name = found.group(1).partition("/")
        if head == "gyre":
            if header.get(name, 99) > height[folder]:
                complain(path, number, f'includes the public header "{name}" of a higher floor')
        elif head not in height:
            complain(path, number, f'includes "{found.group(1)}", which is on no floor')
        elif head != folder and height[head] >= height[folder]:
            complain(path, number, f'includes "{found.group(1)}" from beside or above')


def check_functions(path, lines):
    """A function ends at a closing brace in the first column; it begins at the last line before that starts in it and
    opens a brace."""
    begin = None
    for number, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z_].*\{\s*$", line) and not line.startswith(("enum", "typedef", "struct", "union", "extern")):
            if "(" in line or "(" in (lines[number - 2] if number > 1 else ""):
                begin = number
        if line.startswith("}") and begin:
            if number - begin + 1 > MOST_FUNCTION:
                complain(path, begin, f"a function of {number - begin + 1} lines; {MOST_FUNCTION} is the most")
            begin = None


def check_text(path, lines):
    if not lines or SPDX not in "\n".join(lines[:2]):
        complain(path, 1, "no SPDX line")
    for number, line in enumerate(lines, 1):
        if len(line) > MOST_COLUMNS:
            complain(path, number, f"{len(line)} columns; {MOST_COLUMNS} is the most")
        if "\t" in line or line != line.rstrip():
            complain(path, number, "a tab, or white space at the end")
    folder = max((f for f in MOST_FILE if str(path).startswith(f + "/")), key=len)
    if len(lines) > MOST_FILE[folder]:
        complain(path, 0, f"{len(lines)} lines; {MOST_FILE[folder]} is the most")


def check_essay(path, lines):
    if not any(line.startswith("/*") and SPDX not in line for line in lines[:3]):
        complain(path, 2, "does not open with an essay: what it owns, what it does not do")


def check_tests():
    for path in sorted(pathlib.Path("src").glob("*/*.c")):
        test = pathlib.Path("tests/unit") / f"test_{path.stem}.c"
        if str(path) not in TESTED_ELSEWHERE and not test.exists():
            complain(path, 0, f"has no unit test {test}")


def check_guards(path, lines):
    """A header's guard says where it lives."""
    guard = next((line.split()[1] for line in lines if line.startswith("#ifndef")), "")
    where = path.relative_to("include/gyre" if path.parts[0] == "include" else "src")
    want = ("GYRE_" if path.parts[0] == "include" else "GYI_") + re.sub(r"[/.]", "_", str(where)).upper()
    if guard != want:
        complain(path, 0, f"its guard is {guard or 'missing'}, not {want}")


def check_quotes(path):
    """A block of C that follows a mention of a file of examples/ stands in that file, word for word."""
    source, block = None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if block is None and line == "```c":
            block = []
        elif block is not None and line == "```":
            if source and "\n".join(block) not in source.read_text():
                complain(path, number, f"quotes what is not in {source}")
            source, block = None, None
        elif block is not None:
            block.append(line)
        elif line.strip():
            found = re.search(r"`(examples/\w+\.c)`", line)
            source = pathlib.Path(found.group(1)) if found else None


def main():
    height, header = read_floors()
    trees = ["src", "include", "tests", "bench", "examples", "tools"]
    files = [p for tree in trees for p in pathlib.Path(tree).glob("**/*") if p.suffix in (".c", ".h", ".cpp", ".hpp")]
    for path in sorted(files):
        lines = path.read_text().splitlines()
        check_text(path, lines)
        check_essay(path, lines)
        if path.suffix in (".c", ".cpp"):
            check_functions(path, lines)
        elif path.parts[0] in ("src", "include"):
            check_guards(path, lines)
        if path.parts[0] == "src":
            check_includes(path, lines, height, header)
    check_tests()
    for path in [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").glob("**/*.md"))]:
        check_quotes(path)
    print("\n".join(problems) if problems else "tidy: nothing to complain about")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
