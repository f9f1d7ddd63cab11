"""What the system tests share: a directory of their own, the real programs in it, and recordings.

    with Broker() as broker:
        broker.post("/v1/logs", body, {"Content-Type": "application/x-protobuf"})
        watch = broker.watch()
        watch.wait_for(lambda e: e["kind"] == "prompt")
        broker.sessions()["the id"]["requests"]

The programs come from $AGENTBUS_BUILD (default: build/). Nothing here sleeps to wait for something, and nothing ends a
process that it did not start. Leaving a Broker or a Sandbox checks that no sanitizer has said anything.
"""
import collections
import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / os.environ.get("AGENTBUS_BUILD", "build")
CAPTURES = REPO.parent / "shared" / "captures"
BUNDLED = REPO / "tests" / "recordings"

# Seconds until something that should have happened counts as failed. Generous: the machine may be busy.
PATIENCE = float(os.environ.get("AGENTBUS_PATIENCE", "20"))

PB = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}

Answer = collections.namedtuple("Answer", "status headers body")


# --- processes ---

class Process:
    """A program with a thread that reads its standard output. stdout=PATH sends the output to a file instead."""

    def __init__(self, argv, env, stderr_path, stdout=None, cwd=None):
        self.argv = [str(a) for a in argv]
        self.name = os.path.basename(self.argv[0])
        self.stderr_path = stderr_path
        self.lines = []
        self.closed = False
        self._changed = threading.Condition()
        out = open(stdout, "wb") if stdout else subprocess.PIPE
        with open(stderr_path, "ab") as err:
            self.popen = subprocess.Popen(self.argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd)
        self._reader = None
        if stdout:
            out.close()
        else:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def _read(self):
        for raw in self.popen.stdout:
            item = self.parse(raw.decode("utf-8").rstrip("\n"))
            with self._changed:
                self.lines.append(item)
                self._changed.notify_all()
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def parse(self, line):
        return line

    @property
    def pid(self):
        return self.popen.pid

    def stderr(self):
        return Path(self.stderr_path).read_text(errors="replace")

    def wait_for(self, predicate, timeout=PATIENCE, start=0):
        """The first line (from index start on) that the predicate accepts; AssertionError if none comes in time."""
        deadline = time.monotonic() + timeout
        at = start
        with self._changed:
            while True:
                while at < len(self.lines):
                    if predicate(self.lines[at]):
                        return self.lines[at]
                    at += 1
                left = deadline - time.monotonic()
                if self.closed or left <= 0:
                    why = "ended" if self.closed else f"said nothing of the kind in {timeout:g} s"
                    raise AssertionError(f"{self.name} {why}; last lines {self.lines[-3:]}; stderr: {self.stderr()[-2000:]}")
                self._changed.wait(left)

    def wait_count(self, n, timeout=PATIENCE):
        """Waits until there are n lines."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while len(self.lines) < n and not self.closed and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            if len(self.lines) < n:
                raise AssertionError(f"{self.name}: {len(self.lines)} lines, not {n}; stderr: {self.stderr()[-2000:]}")

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """Waits until the program ends by itself; returns its exit status."""
        code = self.popen.wait(timeout)
        if self._reader:
            self._reader.join(timeout)
            self.popen.stdout.close()
        return code

    def stop(self, number=signal.SIGTERM, expect=0, timeout=PATIENCE):
        """Ends the program and checks its exit status (None: any). Harmless when it has ended before."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.send_signal(number)
        try:
            code = self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.wait()
            raise AssertionError(f"{self.name} did not end within {timeout:g} s of {signal.Signals(number).name}")
        if expect is not None and code != expect:
            raise AssertionError(f"{self.name} ended with {code}, not {expect}; stderr: {self.stderr()[-4000:]}")
        return code

    def kill(self):
        """kill -9."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()

    def rss(self):
        """Resident memory in bytes."""
        return self._status_kb("VmRSS") * 1024

    def peak_rss(self):
        """The most resident memory that it ever had, in bytes."""
        return self._status_kb("VmHWM") * 1024

    def descriptors(self):
        """How many are open. A broker shows them to root, or with --core-dumps."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _status_kb(self, field):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M).group(1))

    def context_switches(self):
        """Of all threads: how often any of them has slept or run."""
        text = "".join((task / "status").read_text() for task in Path(f"/proc/{self.pid}/task").iterdir())
        return sum(int(n) for n in re.findall(r"^\w*voluntary_ctxt_switches:\s+(\d+)", text, re.M))

    def cpu_seconds(self):
        """User and system time spent so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class JsonProcess(Process):
    """A program that prints one JSON value per line; wait_for() sees them parsed."""

    def parse(self, line):
        return json.loads(line)

    @property
    def events(self):
        with self._changed:
            return list(self.lines)


# --- a directory of one's own ---

class Sandbox:
    """A temporary directory that is HOME and every XDG directory at once, and the programs started in it."""

    def __init__(self, env=None):
        # Short, since socket paths end at 107 bytes.
        self.dir = Path(tempfile.mkdtemp(prefix="ab-", dir="/tmp"))
        self.runtime = self.dir / "agentbus"
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTBUS_", "CLAUDE_", "XDG_", "OTEL_", "JOURNAL_", "NOTIFY_"))}
        options = f"log_path={self.dir}/sanitizer:exitcode=99"
        self.env = {
            **keep,
            "HOME": str(self.dir),
            "TMPDIR": str(self.dir),
            "XDG_RUNTIME_DIR": str(self.dir),
            "XDG_CONFIG_HOME": str(self.dir / "config"),
            "XDG_STATE_HOME": str(self.dir / "state"),
            "XDG_DATA_HOME": str(self.dir / "data"),
            "XDG_CACHE_HOME": str(self.dir / "cache"),
            "ASAN_OPTIONS": f"{options}:detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={Path(__file__).parent / 'lsan-nng.supp'}:print_suppressions=0",
            "UBSAN_OPTIONS": f"{options}:print_stacktrace=1:halt_on_error=1",
            **(env or {}),
        }
        self.processes = []
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.close(check=kind is None)
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def close(self, check=True):
        """Ends what still runs, newest first, then looks for sanitizer logs."""
        failure = None
        for process in reversed(self.processes):
            try:
                process.stop(expect=0 if process.popen.poll() is None else None)
            except AssertionError as e:
                failure = failure or e
        self.processes.clear()
        findings = self.sanitizer_findings()
        if findings:
            raise AssertionError(findings)
        if failure and check:
            raise failure

    def sanitizer_findings(self):
        return "\n".join(p.read_text(errors="replace")[:6000] for p in sorted(self.dir.glob("sanitizer.*")))

    def program(self, name):
        path = BUILD / name
        if not path.exists():
            raise AssertionError(f"{path} is not built")
        return path

    def start(self, name, *args, kind=Process, stdout=None, env=None):
        """Starts a program under test. Its standard error goes to a file, see Process.stderr()."""
        stderr = self.dir / f"{len(self.processes)}-{name}.stderr"
        process = kind([self.program(name), *args], {**self.env, **(env or {})}, stderr, stdout, cwd=self.dir)
        self.processes.append(process)
        return process

    def run(self, name, *args, timeout=PATIENCE, env=None, input=None):
        """Runs a program under test to its end; gives subprocess.CompletedProcess with text."""
        return subprocess.run([str(self.program(name)), *map(str, args)], env={**self.env, **(env or {})}, cwd=self.dir, text=True,
                              input=input or "", capture_output=True, timeout=timeout)


def read_all(s):
    """What comes on a socket until the other side closes it, in whatever way."""
    received = b""
    while True:
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


class Broker(Sandbox):
    """An agentbusd on a free loopback port, with a runtime directory of its own."""

    def __init__(self, *args, env=None, listen=("127.0.0.1:0",), config=None, start=True):
        super().__init__(env)
        self.listen = list(listen)
        self.args = [str(a) for a in args]
        self.port = None  # the first of
        self.ports = []
        self.ready_line = None
        self.daemon = None
        if config is not None:
            self.write_config(config)
        if start:
            try:
                self.start_daemon()
            except BaseException:
                self.__exit__(BaseException, None, None)
                raise

    def write_config(self, text):
        path = self.dir / "config" / "agentbus" / "agentbus.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def launch_daemon(self, *args):
        """Starts the broker (again) and does not wait. A restart keeps the port, as a real one would."""
        options = [a for address in self.listen for a in ("--listen", address)]
        self.daemon = self.start("agentbusd", *options, *self.args, *args)
        return self.daemon

    def start_daemon(self, *args):
        """Starts the broker (again) and waits until it is ready."""
        self.launch_daemon(*args)
        self.ready_line = self.daemon.wait_for(lambda line: line.startswith("agentbusd ready:"))
        self.ports = [int(n) for n in re.findall(r":(\d+)(?=[\s,]|$)", self.ready_line.partition("listening on")[2])]
        self.port = self.ports[0]
        self.listen = [f"127.0.0.1:{p}" if a == "127.0.0.1:0" else a for a, p in zip(self.listen, self.ports)]
        return self.daemon

    @property
    def pid(self):
        return self.daemon.pid

    def stop(self):
        """SIGTERM; the broker must drain and exit with 0."""
        self.disconnect()
        self.daemon.stop()
        self.processes.remove(self.daemon)
        findings = self.sanitizer_findings()
        if findings:
            raise AssertionError(findings)

    def kill(self):
        """kill -9, as a crash would."""
        self.disconnect()
        self.daemon.kill()
        self.processes.remove(self.daemon)

    def close(self, check=True):
        self.disconnect()
        super().close(check)

    def rss(self):
        return self.daemon.rss()

    # --- HTTP ---

    def connect(self):
        """A connection of its own: http.client.HTTPConnection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def disconnect(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method, path, body=None, headers=None, chunked=False):
        """One request over the connection that is kept for this broker; gives Answer(status, headers, body)."""
        for attempt in (1, 2):
            fresh = self._connection is None
            if fresh:
                self._connection = self.connect()
            try:
                if chunked:
                    pieces = (body[i:i + 1000] for i in range(0, len(body), 1000))
                    self._connection.request(method, path, pieces, headers or {}, encode_chunked=True)
                else:
                    self._connection.request(method, path, body, headers or {})
                response = self._connection.getresponse()
                answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
                if response.will_close:
                    self.disconnect()
                return answer
            except (http.client.HTTPException, OSError):
                # The broker may close an idle connection at any time: one more attempt on a new one.
                self.disconnect()
                if fresh or attempt == 2:
                    raise

    def post(self, path, body, headers=None, chunked=False):
        return self.request("POST", path, body, headers or PB, chunked)

    def get(self, path):
        return self.request("GET", path)

    def raw(self, data, timeout=PATIENCE):
        """Sends bytes on a new connection and gives everything that comes back until the broker closes it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            return read_all(s)

    def post_recording(self, recording, speed=None):
        """Posts all bodies of a Recording: as fast as possible, or with its timing (1: real time, 10: ten times faster)."""
        begin = time.monotonic()
        for request in recording.requests:
            if speed:
                wait = request.t_ms / 1000 / speed - (time.monotonic() - begin)
                if wait > 0:
                    time.sleep(wait)  # the recording's own timing, not a wait for something
            answer = self.post(request.path, request.body, request.headers, chunked=request.chunked)
            if answer.status != 200:
                raise AssertionError(f"{recording.name}/{request.file}: {answer.status} {answer.body[:300]!r}")

    def replay(self, directory, *args, speed=None, timeout=300):
        """Runs `agentbus replay DIRECTORY`: as fast as possible unless a speed is given."""
        done = self.run("agentbus", "replay", "--speed", speed or 0, "--endpoint", f"http://127.0.0.1:{self.port}", *args, directory,
                        timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"agentbus replay: {done.returncode}: {done.stderr[-2000:]}")
        return done

    # --- what it knows ---

    def boot_id(self):
        """Of the daemon that runs now, as it says at its start."""
        return re.findall(r"boot ([0-9a-f]{32})", self.daemon.stderr())[-1]

    def status(self):
        """`agentbus status --json --all`, parsed."""
        done = self.run("agentbus", "status", "--json", "--all")
        if done.returncode != 0:
            raise AssertionError(f"agentbus status: {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def sessions(self):
        """The sessions of status() by their id."""
        return {s["id"]: s for s in self.status()["sessions"]}

    def watch(self, *args, ready=True, stdout=None):
        """Starts `agentbus watch --json`; ready waits until it is connected, so that it sees all that follows."""
        watch = self.start("agentbus", "watch", "--json", *args, kind=JsonProcess, stdout=stdout)
        if ready and not stdout:
            watch.wait_for(lambda e: e["kind"] == "connected")
        return watch


# --- recordings ---

Request = collections.namedtuple("Request", "seq t_ms path content_type content_encoding headers chunked file body grpc_path")

GRPC_PATHS = {"LogsService": "/v1/logs", "MetricsService": "/v1/metrics", "TraceService": "/v1/traces"}


class Recording:
    """One folder of requests as a CLI sent them. What came over gRPC is given as HTTP with protobuf, with its own path beside."""

    def __init__(self, directory):
        self.dir = Path(directory)
        self.name = f"{self.dir.parent.name}/{self.dir.name}"
        self.provider = self.dir.parent.name

    def __repr__(self):
        return f"Recording({self.name})"

    @property
    def requests(self):
        return [self._request(json.loads(line)) for line in (self.dir / "manifest.jsonl").read_text().splitlines() if line]

    def _request(self, entry):
        path, kind, grpc_path = entry["path"], entry["content_type"], None
        if entry["transport"] == "grpc":
            grpc_path = path
            path, kind = GRPC_PATHS[path.split("/")[1].rpartition(".")[2]], "application/x-protobuf"
        headers = {"Content-Type": kind}
        if entry["content_encoding"]:
            headers["Content-Encoding"] = entry["content_encoding"]
        return Request(entry["seq"], entry["t_ms"], path, kind, entry["content_encoding"], headers,
                       entry["headers"].get("transfer-encoding") == "chunked", entry["file"], (self.dir / entry["file"]).read_bytes(),
                       grpc_path)

    def plain(self, request):
        """The body without its gzip."""
        return gzip.decompress(request.body) if request.content_encoding == "gzip" else request.body

    @property
    def over_grpc(self):
        return any(r.grpc_path for r in self.requests)

    @property
    def expected(self):
        return json.loads((self.dir / "expected.json").read_text())

    @property
    def timeline(self):
        """What the person did and saw, [{"t_ms": …, "what": …}]; empty where that was not recorded."""
        path = self.dir / "timeline.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines() if line] if path.exists() else []


def recordings(*roots):
    """All recordings below the roots (default: the bundled ones and those beside the repository), by name."""
    found = {}
    for root in roots or (CAPTURES, BUNDLED):
        for manifest in sorted(Path(root).glob("*/*/manifest.jsonl")):
            recording = Recording(manifest.parent)
            found.setdefault(recording.name, recording)
    return [found[name] for name in sorted(found)]


def recording(name):
    """The recording "claude/interactive" and the like: bundled or beside the repository; skips the test without either."""
    for root in (CAPTURES, BUNDLED):
        if (root / name / "manifest.jsonl").exists():
            return Recording(root / name)
    raise unittest.SkipTest(f"no recording {name} (looked in {CAPTURES} and {BUNDLED})")


if __name__ == "__main__":
    raise SystemExit("harness.py is what the system tests share; run `make check-system`")
