#!/usr/bin/env python3
"""Real processes that send telemetry: found by their connection, told by a hook, and ended in all ways that there are."""
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

import otlp
from harness import JSON, PATIENCE, Broker

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
WITHIN_S = 0.1
ROOT = os.geteuid() == 0
MANY = 30 if SANITIZED else 100

# Plays a CLI: sends what it is told on standard input, a line of a command and hex, over a connection that it keeps or, for "once",
# over one of its own; "late" sends as it exits; "exit" and "close" (of that
# connection) send nothing.
CLI = '''
import http.client, sys
port = int(sys.argv[1])
kept = http.client.HTTPConnection("127.0.0.1", port)
def post(connection, body):
    connection.request("POST", "/v1/logs", body, {"Content-Type": "application/x-protobuf"})
    return connection.getresponse().read() is not None
for line in sys.stdin:
    command, _, body = line.strip().partition(" ")
    body = bytes.fromhex(body)
    if command == "exit":
        sys.exit(0)
    if command == "close":
        kept.close()
        continue
    if command == "once":
        connection = http.client.HTTPConnection("127.0.0.1", port)
        post(connection, body)
        connection.close()
    else:
        post(kept, body)
    if command == "late":
        sys.exit(0)
    print("sent", flush=True)
'''


class Cli:
    """A process that sends telemetry of its own."""

    def __init__(self, broker, argv=(), cwd=None, env=None, **more):
        self.broker = broker
        clean = {k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE", "WINDOWID")}
        self.popen = subprocess.Popen([*argv, sys.executable, "-c", CLI, str(broker.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, cwd=cwd or broker.dir, env={**clean, **(env or {})}, **more)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end()

    @property
    def pid(self):
        return self.popen.pid

    def write(self, command, *records):
        self.popen.stdin.write(f"{command} {otlp.claude(*records).hex()}\n")
        self.popen.stdin.flush()

    def send(self, *records, command="keep"):
        self.write(command, *records)
        assert self.popen.stdout.readline() == "sent\n"

    def prompt(self, session="s1"):
        self.send(otlp.claude_prompt(session))

    def known_prompt(self, session="s1"):
        """Sends a prompt, and waits until the broker knows us: on a busy machine that may be a moment after its answer."""
        self.prompt(session)
        deadline = time.monotonic() + PATIENCE
        while self.broker.sessions()[session]["pid"] != self.pid:
            if time.monotonic() > deadline:
                raise AssertionError(f"pid {self.pid} is not known: {self.broker.sessions()[session]}")

    def end(self, number=signal.SIGKILL):
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        self.popen.wait(PATIENCE)
        self.popen.stdin.close()
        self.popen.stdout.close()


def looking(*args, **kw):
    return Broker("--processes", "yes", *args, **kw)


def ended(session="s1"):
    return lambda e: e["kind"] == "session_ended" and e["session"]["id"] == session


def states(watch, session="s1"):
    return [(e["session"]["state"], e["reason"], e["evidence"]) for e in watch.events
            if e["kind"] in ("state_changed", "session_ended") and e["session"]["id"] == session]


class Ends(unittest.TestCase):
    EXITED = [("working", "prompt", "shown"), ("completed", "lost", "inferred"), ("ended", "exit", "told")]

    def setUp(self):
        self.broker = self.enterContext(looking())
        self.watch = self.broker.watch()

    def quickest(self, number, runs=3):
        """Seconds from the exit to the event, the fastest of some runs: the machine may be busy."""
        best = PATIENCE
        for i in range(runs):
            with Cli(self.broker) as cli:
                cli.known_prompt(f"s{number}-{i}")
                begin = time.monotonic()
                cli.end(number)
                self.watch.wait_for(ended(f"s{number}-{i}"))
                best = min(best, time.monotonic() - begin)
        return best

    def test_within_100_ms(self):
        for number in (signal.SIGKILL, signal.SIGTERM):
            took = self.quickest(number)
            if not SANITIZED:
                self.assertLess(took, WITHIN_S, number)

    def test_in_the_midst_of_a_turn(self):
        with Cli(self.broker) as cli:
            cli.known_prompt()
            self.assertEqual(self.broker.sessions()["s1"]["pid"], cli.pid)
        self.watch.wait_for(ended())
        self.assertEqual(states(self.watch), self.EXITED)

    def test_what_is_sent_last_counts(self):
        for session, command in (("s1", "late"), ("s2", "once")):
            with Cli(self.broker) as cli:
                cli.known_prompt(session)
                cli.write(command, otlp.claude_request(session))
                if command == "once":
                    cli.write("exit")
                cli.popen.wait(PATIENCE)
            self.watch.wait_for(ended(session))
            got = self.broker.sessions()[session]
            self.assertEqual((got["state"], got["requests"], got["input_tokens"]), ("ended", 1, 100), session)

    def test_late_records_by_another_way_reopen_nothing(self):
        with Cli(self.broker) as cli:
            cli.known_prompt()
            at = time.time_ns()
        self.watch.wait_for(ended())
        self.broker.post(otlp.LOGS, otlp.claude(otlp.claude_request("s1", at=at)))
        got = self.broker.sessions()["s1"]
        self.assertEqual((got["state"], got["requests"]), ("ended", 1))
        self.assertEqual(states(self.watch), self.EXITED)

    def test_two_sessions_of_one_process(self):
        with Cli(self.broker) as cli, Cli(self.broker) as other:
            cli.known_prompt("s1")
            cli.known_prompt("s2")
            other.known_prompt("s3")
            self.assertEqual([self.broker.sessions()[s]["pid"] for s in ("s1", "s2", "s3")], [cli.pid, cli.pid, other.pid])
            cli.end()
            for session in ("s1", "s2"):
                self.watch.wait_for(ended(session))
            self.assertEqual(self.broker.sessions()["s3"]["state"], "working")

    def test_a_session_goes_on_in_another_process(self):
        with Cli(self.broker) as first:
            first.known_prompt()
        self.watch.wait_for(ended())
        with Cli(self.broker) as second:
            second.known_prompt()
            got = self.broker.sessions()["s1"]
            self.assertEqual((got["state"], got["pid"]), ("working", second.pid))

    def test_many_at_once(self):
        many = [Cli(self.broker) for _ in range(MANY)]
        try:
            for i, cli in enumerate(many):
                cli.write("keep", otlp.claude_prompt(f"m{i}"))
            for cli in many:
                self.assertEqual(cli.popen.stdout.readline(), "sent\n")
            # Those that came while others were looked for are found a moment later.
            deadline = time.monotonic() + PATIENCE
            while not all(s["pid"] for s in self.broker.sessions().values()) and time.monotonic() < deadline:
                pass
            self.assertEqual({k: s["pid"] for k, s in self.broker.sessions().items()}, {f"m{i}": c.pid for i, c in enumerate(many)})
            begin = time.monotonic()
            for cli in many:
                cli.popen.kill()
            for i in range(MANY):
                self.watch.wait_for(ended(f"m{i}"))
            if not SANITIZED:
                self.assertLess(time.monotonic() - begin, 10 * WITHIN_S)
        finally:
            for cli in many:
                cli.end()
        self.assertEqual(len([e for e in self.watch.events if e["kind"] == "session_ended"]), MANY)


class Found(unittest.TestCase):
    def setUp(self):
        self.broker = self.enterContext(looking())

    def session(self, name="s1"):
        return self.broker.sessions()[name]

    def test_a_connection_for_each_request(self):
        watch = self.broker.watch()
        with Cli(self.broker) as cli:
            for _ in range(50):
                cli.send(otlp.claude_request("s1"), command="once")
            self.assertEqual(self.session()["pid"], cli.pid)
        watch.wait_for(ended())

    def test_over_ipv6_and_by_a_child_that_has_the_socket(self):
        with Broker("--processes", "yes", listen=("[::1]:0",)) as broker, socket.create_connection(("::1", broker.port)) as s:
            with subprocess.Popen(["sleep", "100"], pass_fds=(s.fileno(),)) as child:
                body = otlp.claude(otlp.claude_prompt("s1"))
                s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n"
                          % len(body) + body)
                self.assertIn(b"200", s.recv(4096))
                self.assertEqual(broker.sessions()["s1"]["pid"], os.getpid())
                child.kill()

    def test_place(self):
        env = {"TMUX_PANE": "%3", "TMUX": "/tmp/tmux-9/default,77,0", "KITTY_WINDOW_ID": "4", "KITTY_LISTEN_ON": "unix:/tmp/k",
               "SWAYSOCK": "/run/sway.sock", "API_KEY": "canary-of-the-environment"}
        place = self.broker.dir / "shop"
        place.mkdir()
        master, slave = os.openpty()
        with Cli(self.broker, cwd=place, env=env, preexec_fn=lambda: take_tty(slave)) as cli:
            cli.known_prompt()
            got = self.session()
            self.assertEqual((got["tty"], got["tmux_pane"], got["project"]), (os.ttyname(slave), "%3", "shop"))
            self.assertEqual(got["window"], "kitty:4,kitty-listen:unix:/tmp/k,sway:/run/sway.sock,tmux:/tmp/tmux-9/default")
        os.close(master)
        os.close(slave)
        self.broker.stop()
        for path in self.broker.dir.rglob("*"):
            if path.is_file() and path.name != "sanitizer":
                self.assertNotIn(b"canary-of-the-environment", path.read_bytes(), path)

    def test_pane_of_tmux(self):
        try:
            subprocess.run(["tmux", "-V"], check=True, capture_output=True)
        except OSError:
            self.skipTest("no tmux on this machine")
        box = self.broker.dir
        server = ["tmux", "-L", "agentbus", "-f", "/dev/null"]
        env = {**{k: v for k, v in os.environ.items() if k not in ("TMUX", "TMUX_PANE")}, "TMUX_TMPDIR": str(box), "TERM": "xterm"}
        (box / "cli.py").write_text(CLI)
        (box / "said").write_text(f"keep {otlp.claude(otlp.claude_prompt('s1')).hex()}\n")
        watch = self.broker.watch()
        try:
            subprocess.run([*server, "new-session", "-d", "-c", str(box),
                            f"(cat said; exec sleep 1000) | exec {sys.executable} cli.py {self.broker.port}"], check=True, env=env)
            watch.wait_for(lambda e: e["kind"] == "session_started")
            pane = subprocess.run([*server, "list-panes", "-a", "-F", "#{pane_id} #{pane_tty}"], check=True, env=env, text=True,
                                  capture_output=True).stdout.split()
            got = self.session()
            self.assertEqual([got["tmux_pane"], got["tty"]], pane)
            self.assertIn(f"tmux:{box}/tmux-{os.getuid()}/agentbus", got["window"])
        finally:
            subprocess.run([*server, "kill-server"], env=env, capture_output=True)
        watch.wait_for(ended())

    def test_a_hook_tells_its_process(self):
        watch = self.broker.watch()
        hook = json.dumps({"session_id": "h", "hook_event_name": "UserPromptSubmit", "transcript_path": "/home/dev/.claude/x"})
        emit = f"{self.broker.program('agentbus')} emit"
        # A person's command lives for longer than this shell: so it is believed when it tells a second time.
        # On a busy machine a hook may give up: so it tells more often than twice.
        script = f"while :; do echo '{hook}' | {emit}; echo; read x; done"
        with subprocess.Popen([sys.executable, "-c", f"import subprocess; subprocess.run(['sh', '-c', {script!r}])"], env=self.broker.env,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as cli:
            for _ in range(5):
                cli.stdout.readline()
                cli.stdin.write("\n")
                cli.stdin.flush()
            self.assertEqual((self.session("h")["pid"], self.session("h")["state"]), (cli.pid, "working"))
            cli.kill()
        watch.wait_for(ended("h"))

    def test_a_passing_parent_of_a_hook_ends_nothing(self):
        watch = self.broker.watch()
        hook = {"session_id": "h", "hook_event_name": "UserPromptSubmit", "transcript_path": "/home/dev/.claude/x"}
        run = (f"import subprocess; subprocess.run([{str(self.broker.program('agentbus'))!r}, 'emit'], "
               f"input={json.dumps(hook)!r}, text=True)")
        subprocess.run([sys.executable, "-c", run], env=self.broker.env, check=True)
        watch.wait_for(lambda e: e["kind"] == "state_changed")
        self.assertEqual(self.session("h")["state"], "working")

    def test_turned_off(self):
        with Broker() as broker, Cli(broker) as cli:
            cli.prompt()
            got = broker.sessions()["s1"]
            self.assertEqual((got["pid"], got["tty"], got["project"]), (0, None, None))

    def test_another_pid_namespace(self):
        if not ROOT or subprocess.run(["unshare", "-pf", "--mount-proc", "true"], capture_output=True).returncode != 0:
            self.skipTest("may not make pid namespaces")
        with Broker(start=False) as broker:
            wrapper = broker.dir / "wrapped"
            wrapper.write_text(f"#!/bin/sh\nexec unshare -pf --kill-child --mount-proc {broker.program('agentbusd')} \"$@\"\n")
            wrapper.chmod(0o755)
            broker.program = lambda name, plain=broker.program: wrapper if name == "agentbusd" else plain(name)
            broker.args = ["--processes", "yes"]
            broker.start_daemon()
            with Cli(broker) as cli:
                cli.prompt()
                cli.prompt()
                got = broker.sessions()["s1"]
                self.assertEqual((got["pid"], got["state"], got["tty"], got["prompts"]), (0, "working", None, 2))
            self.assertEqual(broker.sessions()["s1"]["state"], "working")
            self.assertNotRegex(broker.daemon.stderr(), "warning|error")
            broker.kill()


def take_tty(slave):
    """The terminal becomes the controlling one of a session of its own."""
    import fcntl
    import termios
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


class Restarted(unittest.TestCase):
    def test_alive_and_gone(self):
        with looking("--idle-after", "1ms", "--quiet-after", "1ms", "--end-after", "1h") as broker:
            with Cli(broker) as stays, Cli(broker) as goes:
                stays.known_prompt("stays")
                goes.known_prompt("goes")
                broker.stop()
                goes.end()
                broker.start_daemon()
                watch = broker.watch()
                got = broker.sessions()
                self.assertEqual((got["goes"]["state"], got["goes"]["reason"], got["goes"]["evidence"]), ("ended", "exit", "told"))
                self.assertNotEqual(got["stays"]["state"], "ended")
                stays.end()
                watch.wait_for(ended("stays"))

    def test_killed(self):
        with looking() as broker, Cli(broker) as cli:
            cli.known_prompt()
            broker.kill()
            broker.start_daemon()
            watch = broker.watch()
            self.assertEqual(broker.sessions()["s1"]["state"], "working")
            cli.end()
            watch.wait_for(ended())

    def test_an_idle_session_whose_process_lives_stays(self):
        with looking("--quiet-after", "1ms", "--idle-after", "1ms", "--end-after", "1ms") as broker:
            watch = broker.watch()
            with Cli(broker) as cli:
                cli.known_prompt()
                cli.write("close")
                watch.wait_for(lambda e: e["session"] and e["session"]["state"] == "idle")
                # Another session without a process ends meanwhile.
                self.assertEqual(broker.post("/hooks/claude", json.dumps({"session_id": "x", "hook_event_name": "Stop"}).encode(), JSON).status,
                                 200)
                watch.wait_for(ended("x"))
                self.assertEqual(broker.sessions()["s1"]["state"], "idle")
            watch.wait_for(ended())


class Repositories(unittest.TestCase):
    def git(self, *args, cwd=None):
        env = {**self.broker.env, "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
               "GIT_COMMITTER_EMAIL": "a@b"}
        try:
            subprocess.run(["git", *args], cwd=cwd or self.shop, env=env, check=True, capture_output=True)
        except FileNotFoundError:
            self.skipTest("no git on this machine")

    def setUp(self):
        self.broker = self.enterContext(looking())
        self.shop = self.broker.dir / "shop"
        self.shop.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("commit", "-q", "--allow-empty", "-m", "one")

    def expect(self, session, *want):
        got = self.broker.sessions()[session]
        self.assertEqual((got["project"], got["branch"], got["worktree"]), want)

    def test_branch_and_work_tree(self):
        self.git("worktree", "add", "-q", "-b", "fix", "../fix")
        (self.broker.dir / "plain").mkdir()
        with Cli(self.broker, cwd=self.shop) as one, Cli(self.broker, cwd=self.broker.dir / "fix") as two, \
                Cli(self.broker, cwd=self.broker.dir / "plain") as three:
            one.known_prompt("s1")
            two.known_prompt("s2")
            three.known_prompt("s3")
            self.expect("s1", "shop", "main", None)
            self.expect("s2", "shop", "fix", "fix")
            self.expect("s3", "plain", None, None)

    def test_branch_is_looked_at_with_each_turn(self):
        hook = {"session_id": "h", "hook_event_name": "UserPromptSubmit", "cwd": str(self.shop)}
        post = lambda: self.broker.post("/hooks/claude", json.dumps(hook).encode(), JSON)
        watch = self.broker.watch()
        post()
        self.expect("h", "shop", "main", None)
        self.git("checkout", "-q", "-b", "next")
        deadline = time.monotonic() + PATIENCE
        while self.broker.sessions()["h"]["branch"] != "next" and time.monotonic() < deadline:
            post()  # once a second is looked at it at most
        self.expect("h", "shop", "next", None)
        self.broker.kill()
        self.broker.start_daemon()
        self.expect("h", "shop", "next", None)
        watch.stop(expect=None)

    def test_turned_off(self):
        with looking("--git", "no") as broker, Cli(broker, cwd=self.shop) as cli:
            cli.known_prompt()
            got = broker.sessions()["s1"]
            self.assertEqual((got["project"], got["branch"]), ("shop", None))


if __name__ == "__main__":
    unittest.main()
