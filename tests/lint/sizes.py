#!/usr/bin/env python3
"""Functions of at most 60 lines (100 in tests), source files of less than 500, lines of at most 130 columns."""
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
FUNCTION_LINES, FILE_LINES, COLUMNS, TAB = 60, 500, 130, 8
# What tests list and what a public header explains may be longer.
LONGER_FILES = {"tests": 800, "include": 800}
LONGER_FUNCTIONS = {"tests": 100}


def faults(path):
    lines = path.read_text().splitlines()
    top = path.relative_to(REPO).parts[0]
    limit, function_limit = LONGER_FILES.get(top, FILE_LINES), LONGER_FUNCTIONS.get(top, FUNCTION_LINES)
    if len(lines) >= limit:
        yield f"has {len(lines)} lines; split it by an idea (limit {limit})"
    start = None
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(TAB)) > COLUMNS:
            yield f"line {number} has {len(line.expandtabs(TAB))} columns (limit {COLUMNS})"
        # In this style the braces of a function, and of nothing else in a .c file, stand alone in the first column.
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start - 1 > function_limit:
                yield f"line {start}: a function of {number - start - 1} lines (limit {function_limit})"
            start = None


def main():
    status = 0
    files = sorted(p for top in ("include", "prices", "broker", "clients", "tests", "contrib") for p in (REPO / top).rglob("*.[ch]"))
    for path in files:
        found = list(faults(path))
        for fault in found:
            print(f"{path.relative_to(REPO)} {fault}")
            status = 1
        print(f"{'FAIL' if found else 'ok'} {path.relative_to(REPO)}")
    return status


sys.exit(main())
