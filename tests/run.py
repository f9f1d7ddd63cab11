#!/usr/bin/env python3
"""Runs the tests and counts them one by one, whatever they are written in. `make check` builds first and calls this.

    tests/run.py [--build DIR] [--san DIR] [--jobs N] [--verbose] [SUITE…]

Suites: unit, golden and system use the plain build; san is all three again with the sanitizers; fuzz replays the
regression inputs (with sanitizers); lint. Without a suite all of them run. A sanitizer log fails the test program that
wrote it: Criterion hides the exit status of LeakSanitizer. The last line is "N passed, N failed, N skipped".
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
SYSTEM = REPO / "tests" / "system"
LINT = REPO / "tests" / "lint"
TIMEOUT = 400

OK, FAIL, SKIP = "ok", "FAIL", "skip"
STATUS_LINE = re.compile(r"^(ok|FAIL|skip) (\S+)(?: (.*))?$")


class Result:
    def __init__(self, status, name, detail=""):
        self.status, self.name, self.detail = status, name, detail


class Job:
    """One program to run. parse(CompletedProcess, scratch directory) gives its Results."""

    def __init__(self, suite, name, argv, parse, env=None, alone=False):
        self.suite, self.name, self.argv, self.parse, self.env, self.alone = suite, name, argv, parse, env or {}, alone
        self.results, self.seconds = [], 0.0

    def run(self):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="ab-test-") as scratch:
            self.results = self._run(Path(scratch))
        self.seconds = time.monotonic() - begin
        return self

    def _run(self, scratch):
        options = f"log_path={scratch}/sanitizer:exitcode=99"
        env = {**os.environ, "ASAN_OPTIONS": f"{options}:detect_leaks=1", "UBSAN_OPTIONS": f"{options}:print_stacktrace=1", **self.env}
        argv = [str(a).replace("@SCRATCH@", str(scratch)) for a in self.argv]
        try:
            done = subprocess.run(argv, cwd=REPO, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=TIMEOUT)
        except subprocess.TimeoutExpired as e:
            output = (e.stdout or b"").decode(errors="replace") if isinstance(e.stdout, bytes) else e.stdout or ""
            return [Result(FAIL, "timeout", f"not done after {TIMEOUT} s\n{output[-3000:]}")]
        except OSError as e:
            return [Result(FAIL, "start", str(e))]
        results = self.parse(done, scratch)
        if done.returncode != 0 and not any(r.status == FAIL for r in results):
            results.append(Result(FAIL, "exit", f"exit status {done.returncode}\n{done.stdout[-3000:]}"))
        results += [Result(FAIL, "sanitizer", p.read_text(errors="replace")[:6000]) for p in sorted(scratch.glob("sanitizer.*"))]
        return results or [Result(FAIL, "nothing", "no test ran\n" + done.stdout[-3000:])]


# --- what the programs say ---

def parse_lines(done, _scratch):
    """`ok name`, `FAIL name …`, `skip name …`; the lines between are the detail of the test that follows."""
    results, detail = [], []
    for line in done.stdout.splitlines():
        match = STATUS_LINE.match(line)
        if match:
            results.append(Result(match[1], match[2], "\n".join(filter(None, [match[3], *detail]))))
            detail = []
        else:
            detail.append(line)
    return results


def parse_criterion(done, scratch):
    results = []
    try:
        root = xml.etree.ElementTree.parse(scratch / "criterion.xml").getroot()
    except (OSError, xml.etree.ElementTree.ParseError) as e:
        return [Result(FAIL, "report", f"no report: {e}\n{done.stdout[-3000:]}")]
    for suite in root:
        for case in suite:
            name = f"{suite.get('name')}::{case.get('name')}"
            status = {"PASSED": OK, "SKIPPED": SKIP}.get(case.get("status"), FAIL)
            # libcriterion reports a crashed process apart from its test: its own output is the best detail there is.
            results.append(Result(status, name, done.stdout[-3000:] if status == FAIL else ""))
    return results


def parse_status(name):
    def parse(done, _scratch):
        return [Result(OK, name) if done.returncode == 0 else Result(FAIL, name, done.stdout[-6000:])]
    return parse


# --- the suites ---

def unit_jobs(suite, build, env):
    for source in sorted((REPO / "tests" / "unit").glob("test_*.c")):
        program = build / "tests" / "unit" / source.stem
        yield Job(suite, source.stem, [program, "--xml=@SCRATCH@/criterion.xml"], parse_criterion, env)


def golden_jobs(suite, build, env):
    program = build / "tests" / "golden" / "golden"
    if (REPO / "tests" / "golden" / "golden.c").exists():
        yield Job(suite, "golden", [program], parse_lines, env)


def system_jobs(suite, build, env):
    for source in sorted(SYSTEM.glob("test_*.py")):
        # With sanitizers nothing is measured, so that need not be alone.
        alone = "\nALONE = True" in source.read_text() and not env["AGENTBUS_SANITIZED"]
        yield Job(suite, source.stem, [sys.executable, __file__, "--unittest", source.stem], parse_lines,
                  {**env, "AGENTBUS_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1"}, alone)


def fuzz_jobs(build):
    for source in sorted((REPO / "tests" / "fuzz").glob("fuzz_*.c")):
        target = source.stem[len("fuzz_"):]
        inputs = sorted(p for p in (REPO / "tests" / "fuzz" / "regress" / target).glob("*") if p.is_file())
        names = [str(p.relative_to(REPO)) for p in inputs]

        def parse(done, _scratch, names=names):
            if done.returncode == 0:
                return [Result(OK, Path(n).name) for n in names]
            return [Result(FAIL, "replay", done.stdout[-6000:])]
        if inputs:
            yield Job("fuzz", target, [build / "tests" / "fuzz" / f"replay_{target}", *names], parse)


def lint_jobs(build):
    sources = [str(p.relative_to(REPO)) for top in ("broker", "clients", "tests") for p in sorted((REPO / top).rglob("*.c"))]
    headers = [str(p.relative_to(REPO)) for top in ("include", "broker", "clients", "tests") for p in sorted((REPO / top).rglob("*.h"))]
    for script in sorted(LINT.glob("*.py")):
        yield Job("lint", script.stem, [sys.executable, script], parse_lines)
    if shutil.which("clang-format"):
        yield Job("lint", "clang-format", ["clang-format", "--dry-run", "-Werror", *sources, *headers], parse_status("style"))
    product = [s for s in sources if not s.startswith("tests/")]
    include = ["-I.", "-Iinclude", "-Ibroker", "-Iclients", f"-I{os.path.relpath(build, REPO)}/proto"]
    if shutil.which("cppcheck"):
        yield Job("lint", "cppcheck", ["cppcheck", "--quiet", "--std=c11", "--enable=warning,performance,portability", "--inline-suppr",
                                       "--error-exitcode=1", "--suppressions-list=tests/lint/cppcheck.txt", "-D_GNU_SOURCE",
                                       '-DAGENTBUS_VERSION="0"', *include[:4], *product], parse_status("no-findings"))
    if shutil.which("clang-tidy"):
        flags = ["--", "-std=c11", "-D_GNU_SOURCE", '-DAGENTBUS_VERSION="0"', *include]
        for source in product:
            yield Job("lint", f"clang-tidy {source}", ["clang-tidy", "--quiet", "--warnings-as-errors=*", source, *flags],
                      parse_status("no-findings"))


def all_jobs(suites, build, san):
    plain = {"AGENTBUS_SANITIZED": ""}
    sanitized = {"AGENTBUS_SANITIZED": "1", "AGENTBUS_PATIENCE": os.environ.get("AGENTBUS_PATIENCE", "60")}
    makers = {"unit": unit_jobs, "golden": golden_jobs, "system": system_jobs}
    for name in suites:
        if name in makers:
            yield from makers[name](name, build, plain)
        elif name == "san":
            for make in makers.values():
                yield from make("san", san, sanitized)
        elif name == "fuzz":
            yield from fuzz_jobs(san)
        else:
            yield from lint_jobs(build)


# --- running them ---

def report(job, verbose):
    count = {s: sum(r.status == s for r in job.results) for s in (OK, FAIL, SKIP)}
    skipped = f", {count[SKIP]} skipped" if count[SKIP] else ""
    verdict = "FAIL" if count[FAIL] else "ok"
    print(f"{verdict:4} {job.suite:7} {job.name}: {count[OK]} passed, {count[FAIL]} failed{skipped} ({job.seconds:.1f} s)", flush=True)
    for r in job.results:
        if r.status == FAIL:
            print(f"  FAIL {r.name}\n" + "".join(f"    {line}\n" for line in r.detail.splitlines()), end="", flush=True)
        elif verbose or r.status == SKIP:
            first = r.detail.splitlines()[0] if r.detail else ""
            print(f"  {r.status} {r.name} {first}".rstrip(), flush=True)


def run_all(jobs, workers, verbose):
    """Runs jobs side by side; those that measure time or memory wait until nothing else runs."""
    done = []

    def finish(job):
        report(job, verbose)
        done.append(job)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        # System tests take longest, and mostly wait: what comes last is short.
        pending = [pool.submit(j.run) for j in sorted(jobs, key=lambda j: "--unittest" not in j.argv) if not j.alone]
        for future in concurrent.futures.as_completed(pending):
            finish(future.result())
    for job in (j for j in jobs if j.alone):
        finish(job.run())
    return done


def run_unittest(module):
    """One file of system tests, with a line per test for parse_lines()."""
    sys.path.insert(0, str(SYSTEM))

    class LineResult(unittest.TestResult):
        def _say(self, status, test, detail=""):
            for line in detail.splitlines():
                print(" " + line)
            name = test.id() if hasattr(test, "id") else str(test)
            print(f"{status} {name.replace(' ', '_')}", flush=True)

        def addSuccess(self, test):
            self._say(OK, test)

        def addFailure(self, test, err):
            super().addFailure(test, err)
            self._say(FAIL, test, self._exc_info_to_string(err, test))
        addError = addFailure

        def addSkip(self, test, reason):
            self._say(SKIP, test, reason)

        def addSubTest(self, test, subtest, err):
            super().addSubTest(test, subtest, err)
            if err:
                self._say(FAIL, subtest, self._exc_info_to_string(err, test))
    result = LineResult()
    unittest.defaultTestLoader.loadTestsFromName(module).run(result)
    return 0 if result.wasSuccessful() else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--san", default="build-asan")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 2) + 1)  # many wait most of the time
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--unittest", metavar="MODULE", help=argparse.SUPPRESS)
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    args = parser.parse_args()
    if args.unittest:
        return run_unittest(args.unittest)

    known = ("lint", "unit", "golden", "fuzz", "system", "san")
    unknown = set(args.suites) - set(known)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    begin = time.monotonic()
    jobs = list(all_jobs(args.suites or known, (REPO / args.build).resolve(), (REPO / args.san).resolve()))
    done = run_all(jobs, args.jobs, args.verbose)
    results = [r for job in done for r in job.results]
    count = {s: sum(r.status == s for r in results) for s in (OK, FAIL, SKIP)}
    print(f"{time.monotonic() - begin:.0f} s", flush=True)
    print(f"{count[OK]} passed, {count[FAIL]} failed, {count[SKIP]} skipped", flush=True)
    return 1 if count[FAIL] or not results else 0


if __name__ == "__main__":
    sys.exit(main())
