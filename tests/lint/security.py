#!/usr/bin/env python3
"""SECURITY.md is true as far as a program can tell: each test that it names exists, each row names one, each limit has a row."""
import ast
import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PAGE = "SECURITY.md"
NAMED = re.compile(r"`(test_\w+\.(?:py|c))::([\w.]+)`")
# Whatever these sections of the configuration hold is a defence, or is where one begins.
SECTIONS = {"listen", "access"}
NO_DEFENCE = {"listen"}


def python_tests(path):
    """Class.method of all tests in a file, inherited ones by the class that has them."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
                    yield f"{node.name}.{item.name}"


def c_tests(path):
    yield from re.findall(r"^Test\(\w+, (\w+)", path.read_text(), re.M)


def tests_of(name):
    directory, find = ("system", python_tests) if name.endswith(".py") else ("unit", c_tests)
    path = REPO / "tests" / directory / name
    return set(find(path)) if path.exists() else set()


def missing_tests(text):
    known = {}
    for number, line in enumerate(text.splitlines(), 1):
        for file, test in NAMED.findall(line):
            if test not in known.setdefault(file, tests_of(file)):
                yield f"{PAGE}:{number}: there is no {file}::{test}"


def rows_without_tests(text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\| (?!threat |---)", line) and not NAMED.search(line):
            yield f"{PAGE}:{number}: this row names no test"


def missing_settings(text):
    settings = re.findall(r'^\t\{ (?:"(\w+)"|NULL), (?:"\w+"|NULL), "([\w-]+)"', (REPO / "broker" / "config_table.c").read_text(), re.M)
    if not settings:
        yield "broker/config_table.c: no settings found"
    for section, option in settings:
        if section in SECTIONS and option not in NO_DEFENCE and f"`{option}`" not in text:
            yield f"{PAGE}: there is no word about {option}"


def main():
    text = (REPO / PAGE).read_text()
    status = 0
    for name, check in (("tests-exist", missing_tests), ("rows-have-tests", rows_without_tests), ("settings-have-rows", missing_settings)):
        found = list(check(text))
        for fault in found:
            print(fault)
        print(f"{'FAIL' if found else 'ok'} {name}")
        status |= bool(found)
    return status


sys.exit(main())
