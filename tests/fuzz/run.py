#!/usr/bin/env python3
"""Runs fuzzers that are built, some of them side by side: tests/fuzz/run.py --build DIR --seconds N --jobs N TARGET…

Each writes DIR/<target>.log and keeps what it finds in DIR/corpus/<target>; inputs that break something are DIR/crash-<target>-….
At the end comes a table, and the end of the log of each that failed.
"""
import argparse
import concurrent.futures
import re
import subprocess
import sys
from pathlib import Path

import seeds

REPO = Path(__file__).resolve().parents[2]
FUZZ = REPO / "tests" / "fuzz"
STATUS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+).*?exec/s: (\d+)", re.M)
INPUT_TIMEOUT = 20  # seconds for one input: it hangs
LOG_TAIL = 40       # lines


def dictionary(target):
    own = FUZZ / f"{target}.dict"
    if own.exists():
        return [f"-dict={own}"]
    return [f"-dict={FUZZ / 'otlp.dict'}"] if target.startswith("otlp_") else []


def command(build, target, seconds):
    regress = FUZZ / "regress" / target
    return [build / "tests" / "fuzz" / f"libfuzzer_{target}", *dictionary(target), f"-max_total_time={seconds}",
            f"-max_len={seeds.max_len(target)}", f"-timeout={INPUT_TIMEOUT}", "-print_final_stats=1",
            f"-artifact_prefix={build}/crash-{target}-", build / "corpus" / target, *([regress] if regress.is_dir() else [])]


class Outcome:
    def __init__(self, target, code, log):
        self.target, self.ok, self.log = target, code == 0, log
        last = STATUS.findall(log.read_text(errors="replace"))
        self.numbers = last[-1] if last else ("0", "-", "-", "-", "-", "-")

    def row(self):
        runs, cov, ft, count, size, rate = self.numbers
        return self.target, "ok" if self.ok else "FAIL", runs, rate, cov, ft, count, size


def say(text):
    """In one write: several threads speak."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fuzz(build, target, seconds):
    log = build / f"{target}.log"
    say(f"begin {target}")
    with log.open("wb") as out:
        code = subprocess.run([str(a) for a in command(build, target, seconds)], cwd=REPO, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, check=False).returncode
    outcome = Outcome(target, code, log)
    say(f"{'end' if outcome.ok else 'FAIL'} {target}")
    return outcome


def table(rows):
    rows = [("target", "", "runs", "execs/s", "cov", "ft", "corpus", "bytes"), *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        left, right = row[:2], row[2:]
        print("  ".join([*(c.ljust(w) for c, w in zip(left, widths)), *(c.rjust(w) for c, w in zip(right, widths[2:]))]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build-fuzz"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("targets", nargs="+", metavar="TARGET")
    args = parser.parse_args()
    build = args.build.resolve()

    seeds.plant(build / "corpus", args.targets)
    with concurrent.futures.ThreadPoolExecutor(max(args.jobs, 1)) as pool:
        outcomes = list(pool.map(lambda t: fuzz(build, t, args.seconds), args.targets))
    failed = [o for o in outcomes if not o.ok]
    for o in failed:
        print(f"== {o.log}", *o.log.read_text(errors="replace").splitlines()[-LOG_TAIL:], sep="\n")
    table([o.row() for o in outcomes])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
