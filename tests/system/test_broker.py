"""The broker as a service: options, configuration, signals, readiness, addresses, and what it costs when nothing happens."""
import http.client
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import unittest

import otlp
from harness import PATIENCE, PB, REPO, Broker, Sandbox

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
IDLE_SECONDS = float(os.environ.get("IDLE_SECONDS", "5"))

PROGRAMS = ("agentbusd", "agentbus", "eww-subscriber", "notify-subscriber", "log-subscriber")


class CommandLine(unittest.TestCase):
    def test_help_and_version(self):
        with Sandbox() as box:
            for program in PROGRAMS:
                for option, text in (("--help", "--runtime-dir"), ("--version", "0.1.0")):
                    if program == "agentbus" and option == "--help":
                        text = "status"
                    done = box.run(program, option)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), f"{program} {option}")
                    self.assertIn(text, done.stdout, f"{program} {option}")

    def test_usage_errors(self):
        with Sandbox() as box:
            for program in PROGRAMS:
                done = box.run(program, "--no-such-option")
                self.assertEqual(done.returncode, 2, program)
                self.assertEqual(done.stdout, "", program)
                self.assertRegex(done.stderr, rf"^{program}: .*\n$", program)

    def test_every_option_of_the_brief_is_in_the_help(self):
        with Sandbox() as box:
            text = box.run("agentbusd", "--help").stdout
        for option in ("listen", "runtime-dir", "state-dir", "memory", "config", "check-config", "quiet-after", "busy-after", "waiting-after",
                       "idle-after", "end-after", "max-sessions", "journal-size", "max-body", "verbose", "help", "version"):
            self.assertIn(f"--{option}", text)

    def test_bad_values(self):
        with Sandbox() as box:
            for option, value in (("--listen", "nowhere"), ("--listen", "127.0.0.1:99999"), ("--quiet-after", "soon"), ("--max-sessions", "0"),
                                  ("--journal-size", "-1"), ("--max-body", "many")):
                done = box.run("agentbusd", option, value, "--check-config")
                self.assertIn(done.returncode, (1, 2), (option, value))
                self.assertRegex(done.stderr, rf"^agentbusd: .*{option[2:]}.*\n$", (option, value))

    def test_without_a_runtime_directory(self):
        with Sandbox() as box:
            done = box.run("agentbusd", "--listen", "127.0.0.1:0", env={"XDG_RUNTIME_DIR": ""})
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("XDG_RUNTIME_DIR", done.stderr)

    def test_port_in_use(self):
        with Broker() as broker, Sandbox() as box:
            done = box.run("agentbusd", "--listen", f"127.0.0.1:{broker.port}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(broker.port), done.stderr)


class Configuration(unittest.TestCase):
    def check(self, text):
        with Broker(start=False, config=text) as box:
            return box.run("agentbusd", "--check-config"), box.dir

    def test_good(self):
        done, _ = self.check("[listen]\naddress = 127.0.0.1:4319\nmax_body = 1M\n\n[sessions]\nquiet_after = 10s\n# a comment\n")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_none(self):
        with Sandbox() as box:
            self.assertEqual(box.run("agentbusd", "--check-config").returncode, 0)

    def test_errors_name_file_and_line(self):
        cases = {
            "[listen]\nadress = 127.0.0.1:4318\n": 2,
            "[listen]\n\n\naddress = nowhere\n": 4,
            "[sessions]\nquiet_after = soon\n": 2,
            "[nonsense]\nx = 1\n": 1,
            "[listen\n": 1,
            "quiet_after = 10\n": 1,
            "[sessions]\nthis is no setting\n": 2,
        }
        for text, line in cases.items():
            with self.subTest(text=text):
                done, directory = self.check(text)
                self.assertEqual(done.returncode, 1)
                found = re.search(r"agentbus\.conf:(\d+): \S", done.stderr)
                self.assertTrue(found, done.stderr)
                # An unknown section may be reported with the section or with its first key.
                self.assertIn(int(found[1]), (line, line + 1) if "nonsense" in text else (line,), done.stderr)
                self.assertIn(str(directory), done.stderr)

    def test_all_errors_are_reported_at_once(self):
        done, _ = self.check("[sessions]\nquiet_after = x\nidle_after = y\nend_after = z\n")
        self.assertEqual(len(re.findall(r"agentbus\.conf:\d+:", done.stderr)), 3, done.stderr)

    def test_bad_file_stops_the_start(self):
        with Broker(start=False, config="[sessions]\nquiet_after = x\n") as box:
            done = box.run("agentbusd", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1)
            self.assertIn("agentbus.conf:2:", done.stderr)

    def test_order_of_precedence(self):
        """File, then environment, then command line."""
        body = b"\0" * 3000
        with Broker(config="[listen]\nmax_body = 1K\n") as broker:
            self.assertEqual(broker.post("/v1/logs", body).status, 413)
        with Broker(config="[listen]\nmax_body = 1K\n", env={"AGENTBUS_MAX_BODY": "4K"}) as broker:
            self.assertEqual(broker.post("/v1/logs", body).status, 400)
        with Broker("--max-body", "2K", env={"AGENTBUS_MAX_BODY": "4K"}) as broker:
            self.assertEqual(broker.post("/v1/logs", body).status, 413)

    def test_config_option(self):
        with Broker(start=False) as box:
            path = box.dir / "my.conf"
            path.write_text("[listen]\nmax_body = none\n")
            done = box.run("agentbusd", "--config", path, "--check-config")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{path}:2:", done.stderr)
            done = box.run("agentbusd", "--config", box.dir / "missing.conf", "--check-config")
            self.assertEqual(done.returncode, 1)
            self.assertIn("missing.conf", done.stderr)

    def test_sample_is_valid(self):
        sample = REPO / "contrib" / "agentbus.conf"
        if not sample.exists():
            self.skipTest("no contrib/agentbus.conf")
        with Sandbox() as box:
            done = box.run("agentbusd", "--config", sample, "--check-config")
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class Signals(unittest.TestCase):
    def state_changes(self, watch, session, to):
        return watch.wait_for(lambda e: e["kind"] == "state_changed" and e["session"]["id"] == session and e["session"]["state"] == to)

    def test_sighup_reloads(self):
        with Broker(config="[sessions]\nquiet_after = 1h\nidle_after = 1h\n") as broker:
            watch = broker.watch()
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("before")))
            self.state_changes(watch, "before", "working")
            broker.write_config("[sessions]\nquiet_after = 200ms\nidle_after = 1h\n")
            broker.daemon.send(signal.SIGHUP)
            self.wait_for_log(broker, r"quiet-after is now 200ms")
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("after")))
            self.state_changes(watch, "after", "completed")

    def wait_for_log(self, broker, pattern):
        """The log is a file: a request and its answer is a turn of the loop, after which the signal has been handled."""
        for _ in range(1000):
            if re.search(pattern, broker.daemon.stderr()):
                return
            broker.get("/healthz")
        self.fail(f"no {pattern} in: {broker.daemon.stderr()}")

    def test_sighup_with_a_bad_file_keeps_the_old_settings(self):
        with Broker(config="[sessions]\nquiet_after = 200ms\n") as broker:
            broker.write_config("[sessions]\nquiet_after = rubbish\n")
            broker.daemon.send(signal.SIGHUP)
            self.wait_for_log(broker, r"agentbus\.conf:2:")
            watch = broker.watch()
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("still")))
            self.state_changes(watch, "still", "completed")

    def test_sigterm_and_sigint_end_it_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Broker() as broker:
                broker.post("/v1/logs", otlp.claude(otlp.claude_request("x")))
                broker.daemon.stop(number)
                self.assertFalse((broker.runtime / "events").exists(), "the sockets are left behind")
                self.assertFalse((broker.runtime / "query").exists(), "the sockets are left behind")

    def test_sigterm_drains(self):
        """A request that has begun is still answered."""
        body = otlp.claude(otlp.claude_request("drained"))
        with Broker() as broker:
            with socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE) as s:
                s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:50])
                broker.get("/healthz")  # the broker has seen the first half by now
                broker.daemon.send(signal.SIGTERM)
                s.sendall(body[50:])
                self.assertIn(b"HTTP/1.1 200", s.recv(4096))
            self.assertEqual(broker.daemon.wait(), 0)

    def test_sigterm_does_not_wait_for_idle_connections(self):
        with Broker() as broker:
            connections = [socket.create_connection(("127.0.0.1", broker.port)) for _ in range(5)]
            connections[0].sendall(b"POST /v1/logs HTTP/1.1\r\n")
            broker.daemon.stop(timeout=10)
            for c in connections:
                c.close()

    def test_sd_notify(self):
        with Sandbox() as box:
            path = box.dir / "notify"
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                s.bind(str(path))
                s.settimeout(PATIENCE)
                daemon = box.start("agentbusd", "--listen", "127.0.0.1:0", env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "400000"})
                got = self.receive(s, "READY=1")
                # The watchdog is only for the process that it names; without WATCHDOG_PID it is for whoever reads it.
                self.receive(s, "WATCHDOG=1")
                daemon.send(signal.SIGHUP)
                self.receive(s, "RELOADING=1")
                self.receive(s, "READY=1")
                daemon.send(signal.SIGTERM)
                self.receive(s, "STOPPING=1")
                self.assertEqual(daemon.wait(), 0)
                self.assertTrue(got)

    def receive(self, s, word):
        for _ in range(100):
            text = s.recv(4096).decode()
            if word in text.splitlines():
                return text
        self.fail(f"no {word}")

    def test_log_prefixes_for_the_journal(self):
        for env, pattern in (({"JOURNAL_STREAM": "1:1"}, r"^<\d>\S"), ({}, r"^agentbusd: \w+: ")):
            with Broker(env=env) as broker:
                broker.stop()
                lines = [line for line in broker.dir.glob("*agentbusd.stderr").__next__().read_text().splitlines() if line]
                self.assertTrue(lines)
                for line in lines:
                    self.assertRegex(line, pattern)


class Addresses(unittest.TestCase):
    def test_ipv6_and_several_addresses(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6") or not open("/proc/net/if_inet6").read().strip():
            self.skipTest("no IPv6 here")
        with Broker(listen=("127.0.0.1:0", "[::1]:0")) as broker:
            ports = re.findall(r"(127\.0\.0\.1|\[::1\]):(\d+)", broker.ready_line)
            self.assertEqual([a for a, _ in ports], ["127.0.0.1", "[::1]"])
            for address, port in ports:
                connection = http.client.HTTPConnection(address.strip("[]"), int(port), timeout=PATIENCE)
                connection.request("POST", "/v1/logs", otlp.claude(otlp.claude_request("v6", request_id=address)), PB)
                response = connection.getresponse()
                response.read()
                self.assertEqual(response.status, 200, address)
                connection.close()
            self.assertEqual(broker.sessions()["v6"]["requests"], 2)

    def test_default_without_ipv6(self):
        """The defaults name [::1] too; where there is no IPv6, that is no reason not to start."""
        if not shutil.which("unshare"):
            self.skipTest("no unshare")
        with Sandbox() as box:
            script = "ip link set lo up 2>/dev/null; sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null; exec \"$0\""
            argv = ["unshare", "-rn", "sh", "-c", script, str(box.program("agentbusd"))]
            process = subprocess.Popen(argv, env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                line = process.stdout.readline()
                if not line and "unshare" in process.stderr.read():
                    self.skipTest("unshare is not allowed here")
                self.assertTrue(line.startswith("agentbusd ready:"), line)
            finally:
                process.terminate()
                process.communicate()

    def test_sockets_are_private(self):
        with Broker() as broker:
            self.assertEqual(stat.S_IMODE(broker.runtime.stat().st_mode), 0o700)
            for name in ("events", "query"):
                mode = (broker.runtime / name).stat().st_mode
                self.assertTrue(stat.S_ISSOCK(mode), name)
                self.assertEqual(stat.S_IMODE(mode), 0o600, name)


class Idle(unittest.TestCase):
    def test_readiness_is_quick(self):
        if SANITIZED:
            self.skipTest("not with sanitizers")
        import time
        best = 1.0
        for _ in range(5):
            begin = time.monotonic()
            with Broker() as broker:
                broker.get("/healthz")
                best = min(best, time.monotonic() - begin)
        self.assertLess(best, 0.2)

    def test_no_wake_ups(self):
        """Without sessions no thread of the broker makes a single system call."""
        if not shutil.which("strace") or SANITIZED:
            self.skipTest("no strace, or sanitizers")
        with Broker() as broker:
            trace = broker.dir / "strace.log"
            trace.touch()  # the broker hears of what appears in a home without ~/.claude
            strace = subprocess.Popen(["timeout", str(IDLE_SECONDS), "strace", "-f", "-o", str(trace), "-p", str(broker.pid)],
                                      stderr=subprocess.PIPE, text=True)
            _, said = strace.communicate()
            if "attached" not in said:
                self.skipTest(f"strace may not attach here: {said.strip()[:200]}")
            # What each thread sat in when strace came shows as one interrupted line and its restart.
            calls = [line for line in trace.read_text().splitlines()
                     if not re.search(r"(restart_syscall|<unfinished \.\.\.>|<detached \.\.\.>|resumed)", line)]
            self.assertEqual(calls, [])

    def test_idle_again_after_work(self):
        """When all sessions have ended and gone quiet, nothing ticks any more."""
        if SANITIZED:
            self.skipTest("not with sanitizers")
        with Broker("--quiet-after", "100ms", "--idle-after", "100ms", "--end-after", "100ms") as broker:
            watch = broker.watch()
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("x"), otlp.claude_request("x")))
            broker.disconnect()
            watch.wait_for(lambda e: e["kind"] == "session_ended")
            watch.stop()
            switches = broker.daemon.context_switches()
            subprocess.run(["sleep", "2"], check=True)
            self.assertLessEqual(broker.daemon.context_switches() - switches, 4)


if __name__ == "__main__":
    unittest.main()
