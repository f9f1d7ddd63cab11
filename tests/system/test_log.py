"""log-subscriber: every event exactly once in the file, whatever happens to it, its file, its disk and its broker."""
import json
import os
import random
import resource
import signal
import subprocess
import threading
import time
import unittest

import otlp
from harness import PATIENCE, Broker, JsonProcess, Sandbox, recording

KILLS = int(os.environ.get("LOG_KILLS", "25"))


def wait(condition, complaint="waited in vain"):
    """Waits for something that tells nobody when it happens: looks until it does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(complaint() if callable(complaint) else complaint)
        time.sleep(0.01)


def holes(entries):
    """Checks that within each boot every seq is there once and in order; gives the gaps that are told of: (boot, first, last)."""
    at, told = {}, []
    for entry in entries:
        boot = entry["boot_id"]
        if entry["event"] == "gap":
            first, last = entry["gap_first_seq"], entry["gap_last_seq"]
            if boot in at and first != at[boot] + 1:
                raise AssertionError(f"a gap from {first} on after {at[boot]}")
            told.append((boot, first, last))
            at[boot] = last if last is not None else None
            continue
        if boot in at and entry["seq"] != at[boot] + 1:
            raise AssertionError(f"seq {entry['seq']} after {at[boot]} without a gap")
        at[boot] = entry["seq"]
    return told


class LogCase(unittest.TestCase):
    def setUp(self):
        self.broker = self.enterContext(Broker())
        self.log = self.broker.dir / "events.log"
        self.state = self.broker.dir / "state" / "agentbus" / "log-subscriber.state"
        self.sent = 0

    def start(self, *args, stdout=None, **kwargs):
        return self.broker.start("log-subscriber", *args, stdout=stdout, **kwargs)

    def follow(self, *args):
        """Starts it on the file and waits until it knows where it begins."""
        process = self.start("--file", self.log, *args)
        wait(lambda: self.state.exists() and self.state.read_bytes()[:15] == b"agentbus-cursor", process.stderr)
        return process

    def send(self, n=1, session="s-1"):
        """One request per prompt; each makes at least one event."""
        for _ in range(n):
            self.sent += 1
            answer = self.broker.post(otlp.LOGS, otlp.claude(otlp.claude_prompt(session), otlp.claude_request(session, request_id=f"r{self.sent}")))
            self.assertEqual(answer.status, 200)

    def entries(self, path=None):
        return [json.loads(line) for line in (path or self.log).read_text().splitlines()]

    def has_request(self, n=None, path=None):
        wanted = f"\"request_id\":\"r{n or self.sent}\"".encode()
        path = path or self.log
        return path.exists() and wanted in path.read_bytes()

    def wait_written(self, path=None):
        wait(lambda: self.has_request(path=path), lambda: f"request r{self.sent} is not in the log: {self.log.read_text()[-2000:]}")


class Lines(LogCase):
    def test_a_recording_as_json(self):
        process = self.start(kind=JsonProcess)
        # Its first line comes with the first event, so it must be there before that.
        self.connected(process)
        claude = recording("claude/interactive")
        session = next(iter(claude.expected))
        self.broker.post_recording(claude)
        # Its turns are several: the last one's end is where all is counted.
        total = claude.expected[session]["input_tokens"]
        done = process.wait_for(lambda e: e["session_id"] == session and e["state"] == "completed" and e["session_input_tokens"] == total)
        keys = list(done)
        self.assertEqual(keys[:5], ["time", "level", "event", "seq", "boot_id"])
        self.assertEqual(holes(process.events), [])
        entries = [e for e in process.events if e["session_id"] == session]
        for entry in entries:
            self.assertEqual(list(entry), keys)
            self.assertRegex(entry["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
            self.assertEqual(entry["provider"], "claude-code")
        self.assertLessEqual({"session_started", "prompt", "api_request", "state_changed"}, {e["event"] for e in entries})
        requests = [e for e in entries if e["event"] == "api_request"]
        self.assertEqual(sum(e["input_tokens"] for e in requests), total)
        self.assertEqual(entries[-1]["session_input_tokens"], total)
        self.assertEqual(len(requests[0]["trace_id"]), 32)

    def connected(self, process):
        """Sends until a line comes: what was sent before it was connected is not its business."""
        wait(lambda: self.send() or process.lines, process.stderr)

    def test_logfmt(self):
        process = self.start("--format", "logfmt")
        self.connected(process)
        line = process.wait_for(lambda line: "event=api_request" in line)
        self.assertRegex(line, r"^time=\S+Z level=info event=api_request seq=\d+ boot_id=\w+ session_id=s-1 provider=claude-code ")
        self.assertIn(" input_tokens=100 output_tokens=7 cache_read_tokens=10 ", line)
        self.assertIn(" cost_usd=0.001 ", line)
        self.assertNotIn("null", line)

    def test_environment_and_configuration(self):
        config = self.broker.write_config(f"[log-subscriber]\nformat = logfmt\nfile = {self.log}\n")
        self.assertTrue(config.exists())
        process = self.start()
        wait(lambda: self.state.exists(), process.stderr)
        wait(lambda: self.send() or self.log.read_text().startswith("time="), process.stderr)
        process.stop()
        self.log.unlink()
        process = self.start(env={"AGENTBUS_LOG_FORMAT": "json"})
        wait(lambda: self.send() or self.log.exists() and self.log.read_text().startswith("{"), process.stderr)

    def test_a_reader_that_goes_ends_it_quietly(self):
        argv = [str(self.broker.program("log-subscriber"))]
        with subprocess.Popen(argv, env=self.broker.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                process.stdout.close()
                wait(lambda: self.send() or process.poll() is not None)
                self.assertEqual((process.returncode, process.stderr.read()), (0, b""))
            finally:
                process.kill()

    def test_it_ends_while_its_reader_is_stuck(self):
        """A full pipe must not keep SIGTERM from it."""
        argv = [str(self.broker.program("log-subscriber"))]
        with subprocess.Popen(argv, env=self.broker.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                for _ in range(60):
                    self.send(3)
                process.terminate()
                self.assertEqual(process.wait(PATIENCE), 0)
            finally:
                process.kill()


class ExactlyOnce(LogCase):
    def test_kill_9_at_random_moments(self):
        rng = random.Random(20261123)
        process = self.follow()
        done = threading.Event()

        def load():
            while not done.is_set():
                self.send(session=f"s-{self.sent % 7}")

        sender = threading.Thread(target=load)
        sender.start()
        try:
            for _ in range(KILLS):
                time.sleep(rng.uniform(0, 0.12))  # the random moment, not a wait
                process.kill()
                self.broker.processes.remove(process)
                process = self.start("--file", self.log)
        finally:
            done.set()
            sender.join()
        self.wait_written()
        process.stop()
        entries = self.entries()
        self.assertEqual(holes(entries), [], "the journal has held all of it")
        requests = [e["request_id"] for e in entries if e["event"] == "api_request"]
        self.assertEqual(requests, [f"r{n + 1}" for n in range(self.sent)])

    def test_events_while_it_is_away(self):
        process = self.follow()
        self.send(3)
        self.wait_written()
        process.kill()
        self.send(50)
        process = self.start("--file", self.log)
        self.wait_written()
        self.assertEqual(holes(self.entries()), [])
        self.assertEqual(self.entries()[0]["seq"], 1)

    def test_nothing_is_missing_before_the_first_line(self):
        self.send(5)
        newest = self.broker.sessions()["s-1"]["requests"]
        self.assertEqual(newest, 5)
        process = self.follow()
        process.kill()
        self.send(5)
        self.follow()
        self.wait_written()
        requests = [e["request_id"] for e in self.entries() if e["event"] == "api_request"]
        self.assertEqual(requests, ["r6", "r7", "r8", "r9", "r10"], "what it would have written had it lived, and no more")

    def test_every_torn_end(self):
        process = self.follow()
        self.send(4)
        self.wait_written()
        process.stop()
        whole = self.log.read_bytes()
        last = whole.rstrip(b"\n").rfind(b"\n") + 1
        for cut in sorted({last - 1, last, last + 1, last + 8, (last + len(whole)) // 2, len(whole) - 1}):
            with self.subTest(cut=cut):
                self.log.write_bytes(whole[:cut])
                process = self.start("--file", self.log)
                wait(lambda: self.log.read_bytes() == whole, lambda: f"{cut}: {self.log.read_bytes()[cut - 20:]}")
                process.stop()

    def forget_everything(self):
        """From now on the broker keeps nothing across its restarts."""
        self.broker.stop()
        self.broker.args.append("--memory")
        self.broker.start_daemon()

    def follow_two_lives(self):
        """A follower that has written what a broker sent before kill -9 and after it."""
        process = self.follow()
        self.send(5)
        self.wait_written()
        self.broker.kill()
        wait(lambda: "the broker is away" in process.stderr(), process.stderr)
        self.broker.start_daemon()
        wait(lambda: "the broker is back" in process.stderr(), process.stderr)
        self.send(5)
        self.wait_written()
        return process

    def test_broker_restart_with_a_store(self):
        """The counter goes on, so the log does: no gap, nothing twice, whoever was away."""
        process = self.follow_two_lives()
        process.kill()
        self.send(2)
        self.broker.kill()
        self.broker.start_daemon()
        self.send(2)
        self.start("--file", self.log)
        self.wait_written()
        entries = self.entries()
        self.assertEqual(len({e["boot_id"] for e in entries}), 1)
        self.assertEqual(holes(entries), [])
        numbers = [e["seq"] for e in entries if e["seq"]]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertEqual([e["request_id"] for e in entries if e["event"] == "api_request"], [f"r{n + 1}" for n in range(self.sent)])

    def test_broker_restart(self):
        self.forget_everything()
        process = self.follow_two_lives()
        self.check_two_boots()
        process.kill()
        self.start("--file", self.log)
        self.send(1)
        self.wait_written()
        self.check_two_boots()

    def check_two_boots(self):
        entries = self.entries()
        boots = list(dict.fromkeys(e["boot_id"] for e in entries))
        self.assertEqual(len(boots), 2)
        told = holes(entries)
        self.assertEqual(len({t[:2] for t in told}), len(told), f"each gap once: {told}")
        requests = [e["request_id"] for e in entries if e["event"] == "api_request"]
        self.assertEqual(requests, [f"r{n + 1}" for n in range(self.sent)])
        second = [e["seq"] for e in entries if e["boot_id"] == boots[1] and e["seq"]]
        self.assertEqual(second, list(range(1, len(second) + 1)))

    def test_broker_restart_while_it_is_away(self):
        self.forget_everything()
        process = self.follow()
        self.send(2)
        self.wait_written()
        process.kill()
        self.broker.kill()
        self.broker.start_daemon()
        self.send(3)
        self.start("--file", self.log)
        self.wait_written()
        self.check_two_boots()

    def test_what_nobody_can_give_back_is_a_line(self):
        self.broker.stop()
        self.broker.start_daemon("--memory", "--journal-size", "65536")
        process = self.follow()
        self.send(2)
        self.wait_written()
        process.kill()
        self.send(400)
        self.start("--file", self.log)
        self.wait_written()
        told = holes(self.entries())
        self.assertEqual(len(told), 1, told)
        self.assertGreater(told[0][2], told[0][1])

    def test_standard_output_with_a_state_file(self):
        state = self.broker.dir / "s"
        out = [self.broker.dir / "out-1", self.broker.dir / "out-2"]
        process = self.start("--state-file", state, stdout=out[0])
        wait(lambda: state.exists() and state.read_bytes()[:8] == b"agentbus", process.stderr)
        self.send(3)
        self.wait_written(out[0])
        process.stop()
        self.send(3)
        process = self.start("--state-file", state, stdout=out[1])
        self.wait_written(out[1])
        process.stop()
        self.assertEqual(holes(self.entries(out[0]) + self.entries(out[1])), [])


class Files(LogCase):
    def test_rotation(self):
        process = self.follow()
        old = self.log.with_suffix(".1")
        self.send(3)
        self.wait_written()
        self.log.rename(old)
        self.send(2)
        self.wait_written(old)
        process.send(signal.SIGHUP)
        wait(self.log.exists, process.stderr)
        # Killed before the new file has a line: the state file knows.
        process.kill()
        self.assertEqual(self.log.read_bytes(), b"")
        self.send(2)
        self.start("--file", self.log)
        self.wait_written()
        self.assertEqual(holes(self.entries(old) + self.entries()), [])
        self.assertEqual([e["request_id"] for e in self.entries() if e["event"] == "api_request"], ["r6", "r7"])

    def test_hangup_without_rotation_changes_nothing(self):
        process = self.follow()
        self.send(2)
        self.wait_written()
        process.send(signal.SIGHUP)
        self.send(2)
        self.wait_written()
        self.assertEqual(holes(self.entries()), [])

    def test_full_disk(self):
        """A size limit is a full disk that can be made without one."""
        process = self.follow()
        self.send(2)
        self.wait_written()
        size = self.log.stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size + 700, resource.RLIM_INFINITY))
        self.send(30)
        wait(lambda: "cannot write" in process.stderr(), process.stderr)
        self.assertEqual(holes(self.entries()), [], "whole lines only")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.wait_written()
        wait(lambda: "writing again" in process.stderr(), process.stderr)
        self.assertEqual(process.stderr().count("cannot write"), 1, "said once")
        self.assertEqual(holes(self.entries()), [])

    def test_killed_while_the_disk_is_full(self):
        process = self.follow()
        self.send(2)
        self.wait_written()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self.log.stat().st_size + 700, resource.RLIM_INFINITY))
        self.send(30)
        wait(lambda: "cannot write" in process.stderr(), process.stderr)
        process.kill()
        self.start("--file", self.log)
        self.wait_written()
        self.assertEqual(holes(self.entries()), [])

    def test_one_writer_per_file_and_state(self):
        self.follow()
        second = self.broker.run("log-subscriber", "--file", self.log, "--state-file", self.broker.dir / "other")
        self.assertEqual((second.returncode, second.stderr), (1, f"log-subscriber: cannot open {self.log}: another log-subscriber uses it\n"))
        second = self.broker.run("log-subscriber", "--file", self.broker.dir / "other.log")
        self.assertEqual(second.returncode, 1)
        self.assertIn("give each its own --state-file", second.stderr)

    def test_foreign_files_are_refused(self):
        self.log.write_text("127.0.0.1 localhost\n")
        done = self.broker.run("log-subscriber", "--file", self.log)
        self.assertEqual(done.returncode, 1)
        self.assertIn("left alone", done.stderr)
        self.assertEqual(self.log.read_text(), "127.0.0.1 localhost\n")
        done = self.broker.run("log-subscriber", "--file", "/dev/null")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a regular file", done.stderr)


class Alone(unittest.TestCase):
    def test_usage(self):
        with Sandbox() as sandbox:
            for args in (["--format", "xml"], ["--nonsense"], ["operand"]):
                done = sandbox.run("log-subscriber", *args)
                self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), args)
                self.assertTrue(done.stderr.startswith("log-subscriber: "), done.stderr)
            for args, begin in ((["--help"], "usage: log-subscriber"), (["--version"], "log-subscriber")):
                done = sandbox.run("log-subscriber", *args)
                self.assertEqual(done.returncode, 0)
                self.assertIn(begin, done.stdout)

    def test_it_waits_for_its_first_broker(self):
        with Broker(start=False) as broker:
            log = broker.dir / "log"
            process = broker.start("log-subscriber", "--file", log)
            wait(log.exists)
            broker.start_daemon()
            state = broker.dir / "state" / "agentbus" / "log-subscriber.state"
            wait(lambda: state.read_bytes()[:8] == b"agentbus", process.stderr)
            broker.post(otlp.LOGS, otlp.claude(otlp.claude_prompt("s-1")))
            wait(lambda: b"\"prompt\"" in log.read_bytes(), process.stderr)


if __name__ == "__main__":
    unittest.main()
