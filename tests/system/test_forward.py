"""What is passed on, where all goes well: to whom, in which form, and what the broker tells of it."""
import json
import os
import signal
import subprocess
import time
import unittest

import h2
import openmetrics
import otlp
from backend import LOGS, METRICS, TRACES, Backend, ForwardBroker, ForwardTest, config, log_body
from followers import wait
from harness import JSON, PATIENCE, Broker, Sandbox

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
SECRET = "a-secret-that-nobody-may-see"


class PassedOn(ForwardTest):
    def test_all_signals_in_order(self):
        with Backend() as backend, ForwardBroker("--forward", backend.url) as broker:
            ids = {path: broker.send(30, path) for path in otlp.SIGNALS}
            for path in otlp.SIGNALS:
                self.assertEqual(len(ids[path]), 30)
                backend.wait_ids(ids[path], path)
                self.assert_in_order(backend, ids[path], path)
            request = backend.requests[0]
            self.assertEqual(request.headers["content-type"], "application/x-protobuf")
            self.assertEqual(request.headers["content-encoding"], "gzip")
            self.assertRegex(request.headers["user-agent"], r"^agentbus/\d")
            self.assertNotIn("expect", request.headers)
            self.assertLess(backend.count(), 60, "what comes together goes together")

    def test_each_its_signals(self):
        with Backend() as a, Backend() as b, Backend() as c:
            text = config(a={"url": a.url}, b={"url": b.url + "/otlp/", "signals": "traces, metrics"}, c={"url": c.url, "signals": "logs"})
            with ForwardBroker(config=text) as broker:
                ids = {path: broker.send(3, path) for path in otlp.SIGNALS}
                for path in otlp.SIGNALS:
                    a.wait_ids(ids[path], path)
                for path in (TRACES, METRICS):
                    b.wait_ids(ids[path], "/otlp" + path)
                c.wait_ids(ids[LOGS], LOGS)
                broker.wait_lane(lambda l: l["queued_bytes"] == 0, "b", "metrics")
                self.assertEqual({r.path for r in b.requests}, {"/otlp" + TRACES, "/otlp" + METRICS})
                self.assertEqual({r.path for r in c.requests}, {LOGS})
                self.assertEqual(set(broker.forward()), {(n, s) for n in "a" for s in ("logs", "traces", "metrics")} |
                                 {("b", "traces"), ("b", "metrics"), ("c", "logs")})

    def test_whatever_the_encoding_was(self):
        with Backend() as backend, ForwardBroker("--forward", backend.url) as broker:
            record = otlp.claude_request("forwarded", request_id="record-000001")
            self.assertEqual(broker.post(LOGS, otlp.claude(record, encode=otlp.logs_json), JSON).status, 200)
            backend.wait_ids(["record-000001"])
            with h2.Connection(broker.port) as c:
                record = otlp.claude_request("forwarded", at=record[0], request_id="record-000002")
                self.assertEqual(c.export(h2.LOGS, otlp.claude(record)).grpc_status, 0)
            backend.wait_ids(["record-000002"])
            first, second = (r.body for r in backend.taken)
            self.assertEqual(first.replace(b"record-000001", b"record-000002"), second)

    def test_unknown_fields_survive(self):
        with Backend() as backend, ForwardBroker("--forward", backend.url) as broker:
            body = log_body("record-000001", 0) + otlp.field(1000, "of another version")
            self.assertEqual(broker.post(LOGS, body).status, 200)
            backend.wait_ids(["record-000001"])
            self.assertIn(otlp.field(1000, "of another version"), backend.requests[0].body)

    def test_nothing_to_pass_on(self):
        """Empty and refused requests go nowhere."""
        with Backend() as backend, ForwardBroker("--forward", backend.url) as broker:
            self.assertEqual(broker.post(LOGS, b"").status, 200)
            self.assertEqual(broker.post(LOGS, otlp.field(1, b"")).status, 200)
            self.assertEqual(broker.post(LOGS, b"\xff\xff").status, 400)
            backend.wait_ids(broker.send())
            self.assertEqual(backend.count(), 1)

    def test_one_connection_is_kept(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url, "signals": "logs"})) as broker:
            for _ in range(4):
                backend.wait_ids(broker.send())
            self.assertEqual((backend.count(), backend.connections), (4, 1))


# From a request of each signal down to its records: by number in protobuf, by name in JSON.


class Headers(ForwardTest):
    def secret_file(self, sandbox, mode=0o600):
        path = sandbox.dir / "secret"
        path.write_text(SECRET + "-in-a-file\n")
        path.chmod(mode)
        return path

    def test_secrets(self):
        with Backend() as backend, ForwardBroker(start=False, env={"ALLOY_TOKEN": SECRET}) as broker:
            path = self.secret_file(broker)
            broker.write_config(config(a={"url": backend.url, "gzip": "no", "headers": (
                "Authorization: Bearer ${env:ALLOY_TOKEN}", f"X-Key: k=${{file:{path}}};", "X-Scope-OrgID: plain text")}))
            check = broker.run("agentbusd", "--check-config")
            self.assertEqual(check.returncode, 0, check.stderr)
            broker.start_daemon("--verbose")
            backend.wait_ids(broker.send())
            headers = backend.requests[0].headers
            self.assertEqual(headers["authorization"], f"Bearer {SECRET}")
            self.assertEqual(headers["x-key"], f"k={SECRET}-in-a-file;")
            self.assertEqual(headers["x-scope-orgid"], "plain text")
            self.assertNotIn("content-encoding", headers)
            shown = [broker.said(), check.stdout + check.stderr, json.dumps(str(broker.forward())), broker.get("/metrics").body.decode()]
            self.assertNotIn(SECRET, "".join(shown))

    def test_secrets_that_cannot_be_had(self):
        with Sandbox() as sandbox:
            (sandbox.dir / "config" / "agentbus").mkdir(parents=True)
            conf = sandbox.dir / "config" / "agentbus" / "agentbus.conf"
            open_file = self.secret_file(sandbox, 0o644)
            for reference, said in (("${env:NOT_THERE}", "the environment has no NOT_THERE"), (f"${{file:{open_file}}}", "open to others"),
                                    ("${file:/nowhere/at/all}", "No such file")):
                conf.write_text(config(a={"url": "http://127.0.0.1:9", "headers": (f"X-Key: {reference}",)}))
                for option in ("--check-config", "--memory"):
                    done = sandbox.run("agentbusd", "--listen", "127.0.0.1:0", option)
                    self.assertEqual(done.returncode, 1, done)
                    self.assertIn(said, done.stderr)
                    self.assertNotIn(SECRET, done.stderr)

    def test_password_in_the_url(self):
        with Backend() as backend:
            with ForwardBroker("--forward", backend.url.replace("//", f"//me:{SECRET}@"), "--verbose") as broker:
                backend.wait_ids(broker.send())
                self.assertTrue(backend.requests[0].headers["authorization"].startswith("Basic "))
                done = broker.run("agentbus", "status", "--forward")
                self.assertIn(f"default to {backend.url}", done.stdout)
                self.assertNotIn(SECRET, done.stdout + broker.said())


class Configuration(unittest.TestCase):
    def assert_refused(self, text, *said, args=()):
        with Sandbox() as sandbox:
            path = sandbox.dir / "conf"
            path.write_text(text)
            done = sandbox.run("agentbusd", "--config", path, "--check-config", *args)
            self.assertNotEqual(done.returncode, 0, done)
            for line in said:
                self.assertIn(line, done.stderr)

    def test_mistakes_have_line_numbers(self):
        self.assert_refused("[forward a]\nurl = ftp://x\nsignals = logs, smoke\nheader = nonsense\ntimeout = soon\nqueue_size = 1\nfoo = bar\n",
                            "conf:2: url:", "conf:3: signals: \"smoke\"", "conf:4: header:", "conf:5: timeout:", "conf:6: queue_size:",
                            "conf:7: foo:")
        self.assert_refused("[log]\n[forward a]\ngzip = no\n", "conf:3: the destination \"a\" has no url")
        self.assert_refused("[forward A b]\nurl = http://x\n", "conf:2: url: a destination's name")

    def test_loops_are_refused(self):
        for url in ("http://localhost:4318", "http://127.0.0.1:4318/x", "http://127.8.9.1:4317", "http://[::1]:4318", "http://0.0.0.0:4318",
                    "http://me:pw@LocalHost:4318"):
            self.assert_refused(f"[forward a]\nurl = {url}\n", "conf:2: the destination \"a\" has the url of this broker itself")
        self.assert_refused("", "--forward: the destination \"default\"", args=("--forward", "http://localhost:4318"))
        self.assert_refused("[forward a]\nurl = http://localhost:5000\n", "itself", args=("--listen", "127.0.0.1:5000"))

    def test_environment_and_command_line(self):
        with Backend() as a, Backend() as b, ForwardBroker(env={"AGENTBUS_FORWARD": a.url}) as broker:
            a.wait_ids(broker.send(1))
            broker.stop()
            broker.args += ["--forward", b.url]
            broker.start_daemon()
            ids = broker.send(1)
            b.wait_ids(ids)
            self.assertEqual((set(a.ids()) & set(ids), set(b.ids()) >= set(ids)), (set(), True))

    def test_reload_says_what_takes_a_restart(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            broker.write_config(config(a={"url": backend.url, "gzip": "no"}))
            broker.daemon.send(signal.SIGHUP)
            wait(lambda: "the destinations are unchanged until a restart" in broker.said(), PATIENCE, broker.said)
            backend.wait_ids(broker.send(1))

    def test_what_is_passed_on_does_not_come_back(self):
        """Two brokers that are each other's destination."""
        with ForwardBroker() as one, Backend() as witness:
            text = config(a={"url": f"http://127.0.0.1:{one.port}"}, w={"url": witness.url})
            with ForwardBroker(config=text) as two:
                one.write_config(config(a={"url": f"http://127.0.0.1:{two.port}"}))
                one.stop()
                one.start_daemon()
                ids = one.send(3)
                wait(lambda: "forwarded" in two.sessions(), PATIENCE, two.said)
                mine = two.send(1)
                witness.wait_ids(mine)
                wait(lambda: one.forward()["a", "logs"]["queued_items"] == 0, PATIENCE, one.said)
                self.assertEqual(two.forward()["a", "logs"]["sent_items"], 1)
                self.assertEqual(set(witness.ids()), set(mine) if ids != mine else set(ids))
                self.assertEqual(witness.count(), 1)


class Told(ForwardTest):
    def test_status(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            backend.wait_ids(broker.send(5))
            lane = broker.wait_lane(lambda l: l["sent_items"] == 5)
            self.assertEqual((lane["state"], lane["queued_items"], lane["queued_bytes"], lane["oldest"]), ("idle", 0, 0, None))
            self.assertEqual((lane["rejected_items"], lane["dropped_items"], lane["retries"], lane["last_error"]), (0, 0, 0, None))
            self.assertGreater(lane["sent_bytes"], 500)
            self.assertIsNotNone(lane["last_success"])
            backend.stop()
            broker.send(2)
            lane = broker.wait_lane(lambda l: l["retries"] > 0)
            self.assertEqual(lane["queued_items"], 2)
            self.assertIn("connect", lane["last_error"].lower())
            table = broker.run("agentbus", "status", "--forward").stdout.splitlines()
            self.assertEqual(table[0], f"a to {backend.url}")
            self.assertEqual(table[1].split()[:4], ["SIGNAL", "STATE", "QUEUED", "BYTES"])
            self.assertEqual(table[2].split()[0], "logs")
            self.assertEqual(len({line.index(word) for line, word in ((table[1], "STATE"), (table[3], "idle"))}), 1, table)

    def test_status_without_any(self):
        with Broker() as broker:
            self.assertIn("no destinations", broker.run("agentbus", "status", "--forward").stdout)
            self.assertEqual(json.loads(broker.run("agentbus", "status", "--forward", "--json").stdout), {"destinations": []})
            self.assertEqual(broker.run("agentbus", "status", "--forward", "--watch").returncode, 2)
            broker.stop()
            done = broker.run("agentbus", "status", "--forward", "--timeout", "200ms")
            self.assertEqual(done.returncode, 1)
            self.assertIn("no broker at", done.stderr)

    def test_metrics(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            backend.wait_ids(broker.send(5))
            broker.wait_lane(lambda l: l["sent_items"] == 5)
            backend.stop()
            broker.send(1)
            broker.wait_lane(lambda l: l["retries"] > 0)
            answer = broker.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})
            page = openmetrics.read(answer.body, True)
            labels = {"destination": "a", "signal": "logs"}
            self.assertEqual(page.value("agentbus_forward_sent_total", **labels), 5)
            self.assertGreater(page.value("agentbus_forward_retried_total", **labels), 0)
            self.assertEqual(page.value("agentbus_forward_dropped_total", **labels), 0)
            self.assertEqual(page.value("agentbus_forward_rejected_total", **labels), 0)
            self.assertGreater(page.value("agentbus_forward_queued_bytes", **labels), 100)
            self.assertGreater(page.value("agentbus_forward_oldest_seconds", **labels), 0)

    def test_counts_survive_a_restart(self):
        with Backend() as backend, ForwardBroker(config=config(a={"url": backend.url})) as broker:
            backend.wait_ids(broker.send(5))
            broker.wait_lane(lambda l: l["sent_items"] == 5)
            broker.kill()
            broker.start_daemon()
            self.assertEqual(broker.forward()["a", "logs"]["sent_items"], 5)


class Idle(ForwardTest):
    def test_no_wake_ups_when_nothing_waits(self):
        if SANITIZED:
            self.skipTest("not with sanitizers")
        times = ("--quiet-after", "100ms", "--idle-after", "100ms", "--end-after", "100ms")
        with Backend() as backend, ForwardBroker(*times, config=config(a={"url": backend.url})) as broker:
            watch = broker.watch()
            backend.wait_ids(broker.send(20))
            backend.wait_spans(20)  # that were made of what only logs told
            broker.wait_lane(lambda l: l["queued_items"] == 0)
            broker.disconnect()
            watch.wait_for(lambda e: e["kind"] == "session_ended")
            watch.stop()
            time.sleep(1.5)  # the write-ahead log is tidied up
            switches = broker.daemon.context_switches()
            subprocess.run(["sleep", "2"], check=True)
            self.assertEqual(broker.daemon.context_switches(), switches)


if __name__ == "__main__":
    unittest.main()
