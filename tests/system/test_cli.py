"""The agentbus command: status, watch and replay."""
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

import otlp
from harness import GRPC_PATHS, PATIENCE, REPO, Broker, Sandbox, recording

SESSION = {"id", "provider", "service_name", "state", "state_since", "reason", "evidence", "ended", "auxiliary", "parent_id",
           "children", "project", "branch", "worktree", "pid", "tty", "tmux_pane", "window", "model", "tool", "started", "turn_started", "last_event",
           "failed", "error_type",
           "error_message", "error_status", "cost_usd", "cost_estimated", "reported_cost_usd", "computed_cost_usd", "prompts",
           "requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
           "tool_calls", "api_errors", "errors_by_type", "models", "by_model", "cost_by_model"}
EVENT = ["seq", "time", "observed", "kind", "reason", "evidence", "details", "trace_id", "span_id", "boot_id", "session"]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
SGR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, box, *args, rows=24, columns=80, env=None):
        self.main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {**box.env, "TERM": "xterm", **(env or {})}
        self.popen = subprocess.Popen([box.program("agentbus"), *args], env=env, stdin=child, stdout=child, stderr=child,
                                      start_new_session=True)
        os.close(child)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()
        os.close(self.main)

    def read_until(self, found):
        """Reads until found(text) or the program has ended; returns all text so far."""
        deadline = time.monotonic() + PATIENCE
        while not found(self.text):
            if not select.select([self.main], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"not seen: {self.text!r}")
            try:
                data = os.read(self.main, 65536)
            except OSError:  # EIO: nobody has the other end any more
                break
            self.text += data.decode()
        return self.text

    def read_all(self):
        text = self.read_until(lambda _: False)
        return self.popen.wait(PATIENCE), text


class Status(unittest.TestCase):
    def test_no_broker(self):
        with Sandbox() as box:
            begin = time.monotonic()
            done = box.run("agentbus", "status")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr, f"agentbus: no broker at {box.runtime} (start agentbusd)\n")
            self.assertLess(time.monotonic() - begin, 2 + PATIENCE / 4)
            done = box.run("agentbus", "--runtime-dir", "/nonexistent", "status", "--timeout", "10ms")
            self.assertEqual(done.stderr, "agentbus: no broker at /nonexistent (start agentbusd)\n")

    def test_usage(self):
        with Sandbox() as box:
            for args in ((), ("no-such-verb",), ("status", "extra"), ("status", "--no-such"), ("status", "--json", "--watch"),
                         ("watch", "--count", "0"), ("watch", "--topic", "v2/"), ("replay",), ("replay", "--speed", "-1", "x"),
                         ("--runtime-dir",), ("status", "--timeout", "soon")):
                done = box.run("agentbus", *args)
                self.assertEqual((done.returncode, done.stdout), (2, ""), args)
                self.assertRegex(done.stderr, r"^agentbus: [^\n]*\n$", args)
            for verb in ("status", "watch", "cost", "pricing", "setup", "doctor", "emit", "ack", "focus", "replay"):
                done = box.run("agentbus", verb, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"usage: agentbus {verb}", done.stdout)
                self.assertEqual(box.run("agentbus", verb, "--version").stdout, box.run("agentbus", "--version").stdout)

    def test_nothing(self):
        with Broker() as broker:
            self.assertEqual(broker.run("agentbus", "status").stdout, "No sessions.\n")
            self.assertEqual(json.loads(broker.run("agentbus", "status", "--json").stdout), {"sessions": []})

    def test_json(self):
        with Broker() as broker:
            big = 2**53 + 1
            request = otlp.claude_request("s-1", cache_read_tokens=big, input_tokens=0)
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1"), request))
            s = broker.sessions()["s-1"]
            self.assertEqual(set(s), SESSION)
            self.assertEqual((s["input_tokens"], s["cache_read_tokens"], s["output_tokens"]), (big + 20, big, 7))
            self.assertEqual((s["cost_usd"], s["reported_cost_usd"], s["models"]), (0.001, 0.001, ["claude-opus-5-5"]))
            self.assertEqual((s["parent_id"], s["ended"], s["auxiliary"], s["error_type"]), (None, False, False, None))
            self.assertRegex(s["state_since"], TIME)
            usage = {"requests": 1, "input_tokens": big + 20, "cache_read_tokens": big, "cache_write_tokens": 20,
                     "output_tokens": 7}
            self.assertEqual(s["by_model"], {"claude-opus-5-5": usage})
            self.assertEqual(s["cost_by_model"], {"claude-opus-5-5": {"cost_usd": 0.001, "cost_estimated": False}})

    def test_all(self):
        """Without --all, what has ended or belongs to another session is not listed."""
        with Broker() as broker:
            for name in ("claude/subagent", "qwen/simple"):
                broker.replay(recording(name).dir)
            everything = broker.sessions()
            listed = json.loads(broker.run("agentbus", "status", "--json").stdout)["sessions"]
            shown = {i for i, s in everything.items() if not s["ended"] and not s["auxiliary"]}
            self.assertEqual({s["id"] for s in listed}, shown)
            self.assertLess(len(listed), len(everything))

    def test_table(self):
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("0123456789"), otlp.claude_request("0123456789")))
            lines = broker.run("agentbus", "status").stdout.splitlines()
            self.assertEqual(lines[0].split(), ["STATE", "TOOL", "PROJECT", "MODEL", "SINCE", "IN", "OUT", "COST", "ERR", "ID"])
            self.assertRegex(lines[1], r"^\w+ +claude +claude-opus-5-5 +\S+ +100 +7 +\$0\.0010 +- +23456789$")
            self.assertEqual(len(lines), 2)

    def test_terminal(self):
        """Colour only there, and no line longer than it is wide."""
        with Broker() as broker:
            for name in ("claude/interactive", "gemini/grpc"):
                broker.replay(recording(name).dir)
            for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
                with Terminal(broker, "status", "--all", env=env) as terminal:
                    status, text = terminal.read_all()
                self.assertEqual(status, 0)
                self.assertEqual("\x1b[" in text, coloured, env)
                lines = SGR.sub("", text).split("\r\n")
                self.assertGreater(len(lines), 2)
                self.assertLessEqual(max(map(len, lines)), 80)
            self.assertNotIn("\x1b", broker.run("agentbus", "status", "--all").stdout)

    def test_live(self):
        """The picture is drawn over itself, and the cursor is back when it ends."""
        with Broker() as broker, Terminal(broker, "status", "--watch") as terminal:
            terminal.read_until(lambda text: "No sessions" in text)
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            terminal.read_until(lambda text: "1 working" in text)
            broker.kill()
            terminal.read_until(lambda text: "The broker is gone" in text)
            terminal.popen.send_signal(signal.SIGINT)
            status, text = terminal.read_all()
            self.assertEqual(status, 0)
            self.assertTrue(text.startswith("\x1b[?25l\x1b[?7l"))
            self.assertTrue(text.endswith("\x1b[?7h\x1b[?25h"))
            self.assertIn("\x1b[1A", text)

    def test_live_never_scrolls(self):
        """More sessions than the terminal has lines: those that do not fit are counted."""
        with Broker() as broker:
            for n in range(30):
                broker.post("/v1/logs", otlp.claude(otlp.claude_prompt(f"s-{n}")))
            with Terminal(broker, "status", "--watch", rows=10) as terminal:
                terminal.read_until(lambda text: re.search(r"and \d+ more", text))
                terminal.popen.send_signal(signal.SIGTERM)
                status, text = terminal.read_all()
            self.assertEqual(status, 0)
            first = text.split("\x1b[J")[1]
            self.assertEqual(first.count("\n"), 9)
            self.assertIn("and 24 more", first)

    def test_live_without_terminal(self):
        with Broker() as broker:
            live = broker.start("agentbus", "status", "--watch")
            live.wait_for(lambda line: line == "No sessions")
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            live.wait_for(lambda line: line.startswith("working"))
            live.stop()
            self.assertNotIn("\x1b", "".join(live.lines))


class Watch(unittest.TestCase):
    def test_json(self):
        with Broker() as broker:
            watch = broker.watch()
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("s-1")))
            request = watch.wait_for(lambda e: e["kind"] == "api_request")
            self.assertEqual(request["details"]["input_tokens"], 100)
            self.assertEqual(request["details"]["cost_usd"], 0.001)
            self.assertEqual(request["session"], broker.sessions()["s-1"])
            events = watch.events
            self.assertEqual((events[0]["kind"], events[0]["session"]), ("connected", None))
            for e in events:
                self.assertEqual(list(e), EVENT)
                if e["seq"]:
                    self.assertEqual(set(e["session"]), SESSION)
                    self.assertRegex(e["time"], TIME)
                    self.assertRegex(e["observed"], TIME)
            self.assertEqual([e["seq"] for e in events if e["seq"]], list(range(1, len(events))))

    def test_topic_and_count(self):
        with Broker() as broker:
            watch = broker.watch("--topic", "v1/claude-code/s-2", "--count", "2")
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1"), otlp.claude_prompt("s-2"), otlp.claude_prompt("s-1")))
            self.assertEqual(watch.wait(), 0)
            self.assertEqual([e["session"]["id"] for e in watch.events if e["seq"]], ["s-2", "s-2"])

    def test_since(self):
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1"), otlp.claude_request("s-1")))
            everything = broker.run("agentbus", "watch", "--json", "--since", "0", "--count", "3").stdout.splitlines()
            self.assertEqual([json.loads(line)["seq"] for line in everything if json.loads(line)["seq"]], [1, 2, 3])
            rest = broker.run("agentbus", "watch", "--json", "--since", "2", "--count", "1").stdout.splitlines()
            self.assertEqual([json.loads(line)["seq"] for line in rest if json.loads(line)["seq"]], [3])

    def test_broker_goes_and_comes(self):
        with Broker() as broker:
            watch = broker.watch()
            broker.kill()
            gone = watch.wait_for(lambda e: e["kind"] == "disconnected")
            self.assertIsNone(gone["session"])
            start = len(watch.events)
            broker.start_daemon()
            watch.wait_for(lambda e: e["kind"] == "connected", start=start)

    def test_waits_for_a_broker(self):
        with Broker(start=False) as broker:
            watch = broker.watch(ready=False)
            deadline = time.monotonic() + PATIENCE
            while not watch.stderr() and time.monotonic() < deadline:
                time.sleep(0.05)  # a file tells nobody when it grows
            self.assertEqual(watch.stderr(), f"agentbus: no broker at {broker.runtime} yet; waiting for it\n")
            broker.start_daemon()
            watch.wait_for(lambda e: e["kind"] == "connected")

    def test_words(self):
        """Lines for people: what happened, and nothing of what was said."""
        with Broker() as broker:
            watch = broker.start("agentbus", "watch")
            watch.wait_for(lambda line: line.endswith("connected"))
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1", prompt="tell nobody"), otlp.claude_request("s-1")))
            line = watch.wait_for(lambda line: "claude-opus-5-5" in line)
            said = r"claude-opus-5-5: 100 in, 7 out, \$0\.0010, 300ms"
            self.assertRegex(line, rf"^\d\d:\d\d:\d\d  s-1       claude            {said}$")
            watch.wait_for(lambda line: "prompt of 12 characters" in line)
            self.assertNotIn("tell nobody", "".join(watch.lines))

    def test_reader_that_goes(self):
        with Broker() as broker:
            watch = subprocess.Popen([broker.program("agentbus"), "watch", "--json"], env=broker.env, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            watch.stdout.readline()
            watch.stdout.close()
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            self.assertEqual(watch.wait(PATIENCE), 0)
            self.assertEqual(watch.stderr.read(), b"")
            watch.stderr.close()

    def test_reader_that_sleeps(self):
        """SIGTERM ends it in the middle of a write that nobody takes."""
        with Broker() as broker:
            read, write = os.pipe()
            watch = subprocess.Popen([broker.program("agentbus"), "watch", "--json"], env=broker.env, stdout=write)
            os.close(write)
            os.read(read, 1)
            for n in range(200):
                broker.post("/v1/logs", otlp.claude(otlp.claude_prompt(f"s-{n}")))
            watch.send_signal(signal.SIGTERM)
            self.assertEqual(watch.wait(PATIENCE), 0)
            os.close(read)


class Collector:
    """An HTTP server that keeps what it gets, and refuses what it is told to."""

    def __init__(self, refuse=()):
        self.got, self.ports, self.refuse = [], [], refuse
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                chunked = self.headers.get("Transfer-Encoding") == "chunked"
                body = self.read_chunks() if chunked else self.rfile.read(int(self.headers["Content-Length"]))
                collector.got.append((self.path, dict(self.headers), body, time.monotonic()))
                collector.ports.append((self.path, self.client_address[1]))
                answer = b"no \x1b[2J" if self.path in collector.refuse else b""
                self.send_response(400 if answer else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def read_chunks(self):
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Replay(unittest.TestCase):
    def write_recording(self, directory, times, **more):
        directory.mkdir()
        with open(directory / "manifest.jsonl", "w") as manifest:
            for n, t in enumerate(times):
                (directory / f"{n}.pb").write_bytes(f"{directory.name} {n}".encode())
                entry = {"seq": n, "t_ms": t, "transport": "http", "path": "/v1/logs", "content_type": "application/x-protobuf",
                         "content_encoding": "", "headers": {"user-agent": "me/1"}, "bytes": 1, "file": f"{n}.pb", **more}
                manifest.write(json.dumps(entry) + "\n")
        return directory

    def test_sends_what_was_recorded(self):
        for name in ("claude/gzip", "gemini/grpc-defaults", "claude/json"):
            directory = recording(name).dir
            entries = [json.loads(line) for line in (directory / "manifest.jsonl").read_text().splitlines()]
            with Collector() as collector, Sandbox() as box:
                done = box.run("agentbus", "replay", "--http", "--speed", "0", "--endpoint", collector.url + "/", directory)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"Sent {len(entries)} of {len(entries)} requests", done.stdout)
                self.assertEqual(len(collector.got), len(entries))
                for entry, (path, headers, body, _) in zip(entries, collector.got):
                    grpc = entry["transport"] == "grpc"
                    self.assertEqual(path, GRPC_PATHS[entry["path"].split("/")[1].rpartition(".")[2]] if grpc else entry["path"])
                    self.assertEqual(headers["Content-Type"], "application/x-protobuf" if grpc else entry["content_type"])
                    self.assertEqual(headers.get("Content-Encoding", ""), entry["content_encoding"])
                    self.assertEqual(headers.get("User-Agent"), entry["headers"].get("user-agent"))
                    self.assertEqual(body, (directory / entry["file"]).read_bytes())

    def test_chunked(self):
        with Collector() as collector, Sandbox() as box:
            directory = self.write_recording(box.dir / "a", [0], headers={"transfer-encoding": "chunked"})
            box.run("agentbus", "replay", "--endpoint", collector.url, directory)
            path, headers, body, _ = collector.got[0]
            self.assertEqual((headers.get("Transfer-Encoding"), headers.get("Content-Length"), body), ("chunked", None, b"a 0"))

    def test_one_clock(self):
        """Two recordings at once, in order of their times, each with its distance and its own connection."""
        with Collector() as collector, Sandbox() as box:
            a = self.write_recording(box.dir / "a", [0, 400, 800])
            b = self.write_recording(box.dir / "b", [200, 400, 600])
            done = box.run("agentbus", "replay", "--speed", "2", "--endpoint", collector.url, a, b)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("of 2 recordings", done.stdout)
            self.assertEqual([g[2] for g in collector.got], [b"a 0", b"b 0", b"a 1", b"b 1", b"b 2", b"a 2"])
            # Half of 800 ms, less what the first of them may have been held up on the way.
            self.assertGreaterEqual(collector.got[-1][3] - collector.got[0][3], 0.3)
            self.assertEqual(len(set(collector.ports)), 2)

    def test_refusals(self):
        with Collector(refuse=("/v1/logs",)) as collector, Sandbox() as box:
            directory = self.write_recording(box.dir / "a", [0] * 12)
            done = box.run("agentbus", "replay", "--endpoint", collector.url, directory)
            self.assertEqual(done.returncode, 1)
            self.assertIn("12 were refused", done.stdout)
            self.assertEqual(done.stderr, "agentbus: /v1/logs: 400 no  [2J\n" * 10)

    def test_nobody_listens(self):
        with Sandbox() as box:
            directory = self.write_recording(box.dir / "a", [0, 0])
            proxy = {"http_proxy": "http://127.0.0.1:2"}
            done = box.run("agentbus", "replay", "--endpoint", "http://127.0.0.1:1", directory, env=proxy)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^agentbus: http://127\.0\.0\.1:1/v1/logs: [^\n]+\n$")
            self.assertIn("Sent 0 of 2", done.stdout)

    def test_directories_that_are_none(self):
        with Sandbox() as box:
            done = box.run("agentbus", "replay", "/nonexistent")
            self.assertEqual((done.returncode, done.stderr),
                             (1, "agentbus: /nonexistent/manifest.jsonl: No such file or directory\n"))
            directory = self.write_recording(box.dir / "a", [0])
            (directory / "0.pb").unlink()
            self.assertIn("0.pb: No such file", box.run("agentbus", "replay", directory).stderr)
            (directory / "manifest.jsonl").write_text("\n{}\nnonsense\n")
            done = box.run("agentbus", "replay", directory)
            self.assertEqual(done.returncode, 1)

    def test_a_broker_takes_it(self):
        with Broker() as broker:
            rec = recording("claude/gzip")
            broker.replay(rec.dir)
            sessions = broker.sessions()
            for session_id, expected in rec.expected.items():
                for key in expected:
                    self.assertEqual(sessions[session_id][key], expected[key], key)


class Completion(unittest.TestCase):
    SCRIPT = REPO / "contrib" / "completions" / "agentbus.bash"
    CALL = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agentbus; printf "%s\\n" "${COMPREPLY[@]}"'

    def complete(self, *words):
        done = subprocess.run(["bash", "-c", self.CALL, "bash", self.SCRIPT, *words], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_verbs(self):
        self.assertEqual(self.complete("agentbus", "st"), ["status"])
        self.assertEqual(self.complete("agentbus", "--runtime-dir", "/tmp", "w"), ["watch"])

    def test_words(self):
        self.assertEqual(self.complete("agentbus", "cost", "--by", "pro"), ["provider", "project"])
        self.assertEqual(self.complete("agentbus", "cost", "--since", "y"), ["yesterday", "year"])
        self.assertEqual(self.complete("agentbus", "watch", "--since", ""), [])
        self.assertEqual(self.complete("agentbus", "pricing", ""), ["show", "check", "import"])
        self.assertEqual(self.complete("agentbus", "setup", "co"), ["codex"])
        self.assertEqual(self.complete("agentbus", "setup", "claude", "--no"), ["--no-hooks", "--no-telemetry"])

    def test_every_option(self):
        """The options that --help lists are the ones that are completed."""
        with Sandbox() as box:
            for verb in ("status", "watch", "doctor", "ack", "focus", "replay"):
                listed = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", box.run("agentbus", verb, "--help").stdout, re.M))
                self.assertEqual(set(self.complete("agentbus", verb, "--")), listed)


if __name__ == "__main__":
    unittest.main()
