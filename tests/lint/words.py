#!/usr/bin/env python3
"""What no file of the tree may hold: absolute paths of one machine, hosts of package registries, unfinished work."""
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

# Put together so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": "|".join(["/wo" + "rk/", "/fa" + "rm/", r"(?<![\w.-])/ro" + "ot/", "/tmp/bash" + "_jobs", r"\.lib" + "rary/"]),
    "the host of a package registry": "|".join(["deb" + r"\.debian\.org", "regis" + r"try\.npmjs", "py" + r"pi\.org", "archive" + r"\.ubuntu\.com"]),
    "unfinished work": r"\b(TO" + r"DO|FIX" + r"ME)\b",
}
LARGEST = 500 * 1024


def tree():
    """Tracked files and new ones that are not ignored; every file where this is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=REPO, capture_output=True, text=True)
    if listed.returncode == 0:
        return [REPO / name for name in listed.stdout.splitlines()]
    return [p for p in REPO.rglob("*") if not any(part.startswith((".", "build")) for part in p.relative_to(REPO).parts)]


def main():
    patterns = {what: re.compile(pattern) for what, pattern in FORBIDDEN.items()}
    failed = set()
    files = [p for p in sorted(tree()) if p.is_file()]
    for path in files:
        name = path.relative_to(REPO)
        if path.stat().st_size > LARGEST:
            print(f"{name} is larger than {LARGEST // 1024} KB")
            failed.add("size")
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for what, pattern in patterns.items():
            for match in pattern.finditer(text):
                print(f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match[0]}")
                failed.add(what)
    for what in ("size", *patterns):
        print(f"{'FAIL' if what in failed else 'ok'} {what.replace(' ', '-')}")
    return 1 if failed else 0


sys.exit(main())
