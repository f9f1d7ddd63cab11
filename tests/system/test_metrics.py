"""/metrics: what it counts, its two formats, who gets it, its bounds; and a real Prometheus that scrapes it."""
import http.client
import json
import math
import os
import resource
import shutil
import socket
import subprocess
import unittest
import urllib.parse
from pathlib import Path

import h2
import openmetrics
import otlp
from followers import wait
from harness import PATIENCE, PB, REPO, Broker, Process, recordings
from refusals import NOBODY, other_user
from totals import COUNTS, add_up, expected_of

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
CONTRIB = REPO / "contrib" / "prometheus"
OPEN, PLAIN = "application/openmetrics-text; version=1.0.0; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"
PROVIDERS = ("claude-code", "codex", "gemini-cli", "qwen-code", "genai")
STATES = ("idle", "working", "waiting", "completed", "ended")
TOKEN_TYPES = {"input": "input_tokens", "cache_read": "cache_read_tokens", "cache_write": "cache_write_tokens", "output": "output_tokens"}
MODELS = 64  # counted apart
NOTHING = dict.fromkeys((*COUNTS, "reported_cost_usd"), 0)


def scrape(broker, open_format=True, headers=None):
    """The page, read strictly."""
    answer = broker.request("GET", "/metrics", headers={**({"Accept": OPEN} if open_format else {}), **(headers or {})})
    if answer.status != 200 or answer.headers["content-type"] != (OPEN if open_format else PLAIN):
        raise AssertionError(answer)
    return openmetrics.read(answer.body, open_format)


def post_all(broker):
    """Posts every recording; gives the totals that are expected."""
    totals = {}
    for recording in recordings():
        broker.post_recording(recording)
        add_up(totals, expected_of(recording))
    return totals


def by_provider(totals):
    sums = {p: dict(NOTHING) for p in PROVIDERS}
    for session in totals.values():
        for key in NOTHING:
            sums[session["provider"]][key] += session[key]
    return sums


def by_model(totals):
    sums = {}
    for session in totals.values():
        for model, usage in session["by_model"].items():
            have = sums.setdefault((session["provider"], model), dict.fromkeys(usage, 0))
            for key, value in usage.items():
                have[key] += value
    return sums


def cost_of(broker, *providers):
    """What the sessions of these CLIs (none: of all) are shown to have cost."""
    return sum(s["cost_usd"] or 0 for s in broker.status()["sessions"] if not providers or s["provider"] in providers)


class Counted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker())
        cls.totals = post_all(cls.broker)
        cls.page = scrape(cls.broker)

    def test_sums_are_those_of_the_recordings(self):
        for provider, want in by_provider(self.totals).items():
            got = {
                "requests": self.page.sum("agentbus_requests_total", provider=provider),
                "tool_calls": self.page.value("agentbus_tool_calls_total", provider=provider),
                "prompts": self.page.value("agentbus_prompts_total", provider=provider),
                "api_errors": self.page.sum("agentbus_errors_total", provider=provider),
                "reasoning_tokens": self.page.sum("agentbus_tokens_total", provider=provider, type="reasoning"),
                **{key: self.page.sum("agentbus_tokens_total", provider=provider, type=t) for t, key in TOKEN_TYPES.items()},
            }
            self.assertEqual(got, {key: want[key] for key in got}, provider)
            cost = self.page.sum("agentbus_cost_usd_total", provider=provider)
            shown = cost_of(self.broker, provider)
            self.assertTrue(math.isclose(cost, shown, rel_tol=1e-9, abs_tol=1e-12), (provider, cost, shown))
        self.assertGreater(sum(s["requests"] for s in self.totals.values()), 10)

    def test_models(self):
        want = by_model(self.totals)
        self.assertLess(len(want), MODELS)
        self.assertEqual({(x["provider"], x["model"]): n for x, n in self.page.series("agentbus_requests_total")},
                         {key: usage["requests"] for key, usage in want.items()})
        for (provider, model), usage in want.items():
            for kind, key in TOKEN_TYPES.items():
                self.assertEqual(self.page.value("agentbus_tokens_total", provider=provider, model=model, type=kind), usage[key], model)

    def test_formats_agree(self):
        """But for what a scrape itself changes."""
        older = scrape(self.broker, open_format=False)
        self.assertEqual(set(older.samples), set(self.page.samples))
        same = [key for key in older.samples if key[0].startswith("agentbus_") and "answers" not in key[0] and "wal" not in key[0]
                and "sessions" not in key[0] and "journal" not in key[0] and "commits" not in key[0] and "events" not in key[0]]
        self.assertGreater(len(same), 100)
        self.assertEqual({k: older.samples[k] for k in same}, {k: self.page.samples[k] for k in same})
        self.assertEqual(older.exemplars, {})

    def test_examples(self):
        """Where CLIs give a trace, a bucket has the newest; each is one that the recordings hold."""
        self.assertGreater(len(self.page.exemplars), 3)
        bodies = b"".join(r.plain(q) for r in recordings() for q in r.requests)
        for (name, _), (labels, value, time) in self.page.exemplars.items():
            self.assertEqual((name, list(labels)), ("agentbus_request_duration_seconds_bucket", ["trace_id"]))
            trace = labels["trace_id"]
            self.assertEqual(len(trace), 32)
            self.assertTrue(bytes.fromhex(trace) in bodies or trace.encode() in bodies, trace)
            self.assertGreater(time, 1.7e9)
            self.assertGreater(value, 0)

    def test_durations(self):
        count = self.page.sum("agentbus_request_duration_seconds_count")
        self.assertGreater(count, 10)
        self.assertLessEqual(count, self.page.sum("agentbus_requests_total"))
        self.assertGreater(self.page.sum("agentbus_request_duration_seconds_sum"), 0)

    def test_sessions(self):
        shown = [s for s in self.broker.status()["sessions"] if not s["auxiliary"]]
        page = scrape(self.broker)
        self.assertEqual({(x["provider"], x["state"]) for x, _ in page.series("agentbus_sessions")},
                         {(p, s) for p in PROVIDERS for s in STATES})
        for provider in PROVIDERS:
            self.assertEqual(page.sum("agentbus_sessions", provider=provider), sum(s["provider"] == provider for s in shown))

    def test_nothing_of_anybody(self):
        """No session, project or trace is a label of a series."""
        names = {name for _, labels in self.page.samples for name, _ in labels}
        self.assertEqual(names, {"provider", "model", "type", "state", "le", "code", "version"})
        values = {value for _, labels in self.page.samples for _, value in labels}
        for session in self.broker.status()["sessions"]:
            self.assertNotIn(session["id"], values)

    def test_promtool(self):
        promtool = shutil.which("promtool")
        if not promtool:
            self.skipTest("no promtool: install the package prometheus")
        done = subprocess.run([promtool, "check", "metrics"], input=self.broker.get("/metrics").body, capture_output=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


class NobodysBroker(Broker):
    """A broker of a user without rights."""

    def start(self, name, *args):
        shutil.copy(self.program(name), self.dir)
        for path in (self.dir, *self.dir.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        argv = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", self.dir / name, *args]
        process = Process(argv, self.env, self.dir / "nobody.stderr", cwd=self.dir)
        self.processes.append(process)
        return process


class Health(unittest.TestCase):
    """Of the broker itself."""

    def test_process(self):
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("x")))
            page = scrape(broker)
            version = broker.run("agentbusd", "--version").stdout.split()[1]
            self.assertEqual(page.value("agentbus_build_info", version=version), 1)
            self.assertLess(abs(page.value("process_resident_memory_bytes") - broker.rss()), 8 << 20)
            self.assertAlmostEqual(page.value("process_start_time_seconds"), Path(f"/proc/{broker.pid}").stat().st_mtime, delta=PATIENCE)
            self.assertLessEqual(page.value("process_cpu_seconds_total"), broker.daemon.cpu_seconds() + 0.02)
            self.assertEqual(page.value("process_max_fds"), resource.prlimit(broker.pid, resource.RLIMIT_NOFILE)[0])
            if os.geteuid() == 0:
                self.assertEqual(page.value("process_open_fds"), broker.daemon.descriptors())

    def test_as_another_user(self):
        """A process without rights looks at itself, though others may not look at it."""
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("not root, or no setpriv")
        with NobodysBroker("--allow-other-users") as broker:
            page = scrape(broker)
            self.assertEqual(page.value("process_open_fds"), broker.daemon.descriptors())
            self.assertGreater(page.value("process_resident_memory_bytes"), 1 << 20)

    def test_store_and_journal(self):
        with Broker() as broker:
            before = scrape(broker)
            self.assertEqual(before.value("agentbus_events_total"), 0)
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("x"), otlp.claude_request("x")))
            page = scrape(broker)
            self.assertEqual(page.value("agentbus_store_writable"), 1)
            self.assertGreater(page.value("agentbus_store_commits_total"), before.value("agentbus_store_commits_total"))
            self.assertGreater(page.value("agentbus_store_wal_bytes"), 0)
            events = page.value("agentbus_events_total")
            self.assertGreaterEqual(events, 3)
            self.assertEqual((page.value("agentbus_journal_oldest_seq"), page.value("agentbus_journal_newest_seq")), (1, events))
            broker.stop()
            broker.start_daemon()
            again = scrape(broker)  # counters begin anew, what is stored goes on
            self.assertEqual(again.value("agentbus_events_total"), 0)
            self.assertEqual(again.sum("agentbus_requests_total"), 0)
            self.assertGreaterEqual(again.value("agentbus_journal_newest_seq"), events)
            self.assertEqual(again.sum("agentbus_sessions", provider="claude-code"), 1)

    def test_memory_has_no_store(self):
        with Broker("--memory") as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("x")))
            page = scrape(broker)
            self.assertEqual([name for name in page.types if "store" in name], [])
            self.assertEqual(page.sum("agentbus_requests_total"), 1)

    def test_store_that_cannot_be_written(self):
        """What is refused counts when it comes again, and once."""
        with Broker() as broker:
            body = otlp.claude(otlp.claude_request("x"))
            self.assertEqual(broker.post("/v1/logs", body).status, 200)
            wal = broker.dir / "state" / "agentbus" / "agentbus.db-wal"
            resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (wal.stat().st_size, resource.RLIM_INFINITY))
            self.assertEqual(broker.post("/v1/logs", body).status, 503)
            page = scrape(broker)
            self.assertEqual(page.value("agentbus_store_writable"), 0)
            self.assertEqual(page.sum("agentbus_requests_total"), 1)
            self.assertGreaterEqual(page.value("agentbus_http_answers_total", code="503"), 1)
            resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            wait(lambda: broker.post("/v1/logs", body).status == 200, 2 * PATIENCE, broker.daemon.stderr)
            page = scrape(broker)
            self.assertEqual(page.value("agentbus_store_writable"), 1)
            self.assertEqual(page.sum("agentbus_requests_total"), 2)

    def test_answers_and_connections(self):
        with Broker("--max-connections", "3") as broker:
            self.assertEqual(broker.post("/v1/logs", b"\xff").status, 400)
            self.assertEqual(broker.get("/nowhere").status, 404)
            self.assertEqual(broker.request("DELETE", "/metrics").status, 405)
            with h2.Connection(broker.port) as c:
                self.assertEqual(c.export(h2.LOGS, otlp.claude(otlp.claude_request("x"))).grpc_status, 0)
                self.assertEqual(c.export(h2.LOGS, b"\xff").grpc_status, 3)
                page = scrape(broker)
                self.assertEqual(page.value("agentbus_connections"), 2)
                self.assertEqual({x["code"]: n for x, n in page.series("agentbus_grpc_answers_total")}, {"0": 1, "3": 1})
                with socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE) as third:
                    third.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b" 200 ", third.recv(4096))
                    self.assertIn(b" 503 ", broker.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"))
                    page = scrape(broker)
                    self.assertEqual(page.value("agentbus_connections"), 3)
                    self.assertEqual(page.value("agentbus_connections_refused_total"), 1)
            wait(lambda: scrape(broker).value("agentbus_connections") == 1, PATIENCE, broker.daemon.stderr)
            codes = {x["code"]: n for x, n in scrape(broker).series("agentbus_http_answers_total")}
            self.assertEqual({k: codes[k] for k in ("400", "404", "405")}, {"400": 1, "404": 1, "405": 1})

    def test_scraping_costs_no_memory(self):
        if SANITIZED:
            self.skipTest("not with sanitizers")
        with Broker() as broker:
            post_all(broker)
            for _ in range(50):
                broker.get("/metrics")
            before = broker.rss()
            for _ in range(500):
                broker.get("/metrics")
            self.assertLess(broker.rss() - before, 512 * 1024)


class Asked(unittest.TestCase):
    """By whom, and how."""

    def check_refused(self, broker, status, **headers):
        answer = broker.request("GET", "/metrics", headers=headers)
        self.assertEqual(answer.status, status)
        self.assertNotIn(b"agentbus_", answer.body)

    def test_accept(self):
        prometheus = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
        with Broker() as broker:
            for accept, kind in ((None, PLAIN), ("*/*", PLAIN), ("text/plain", PLAIN), ("text/html,*/*;q=0.8", PLAIN),
                                 ("application/openmetrics-text", OPEN), (prometheus, OPEN), ("application/openmetrics-text;q=0", PLAIN),
                                 ("text/plain, application/openmetrics-text;q=0.9", PLAIN)):
                answer = broker.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, kind), accept)
                openmetrics.read(answer.body, kind == OPEN)

    def test_head(self):
        with Broker() as broker:
            answer = broker.request("HEAD", "/metrics", headers={"Accept": OPEN})
            self.assertEqual((answer.status, answer.headers["content-type"], answer.body), (200, OPEN, b""))
            self.assertGreater(int(answer.headers["content-length"]), 1000)
            self.assertEqual(broker.get("/metrics").status, 200)  # on the same connection

    def test_other_methods(self):
        with Broker() as broker:
            for method in ("POST", "PUT", "DELETE", "OPTIONS"):
                answer = broker.request(method, "/metrics", b"x", PB)
                self.assertEqual((answer.status, answer.headers["allow"], answer.body), (405, "GET, HEAD", b""))

    def test_arguments_and_other_paths(self):
        with Broker() as broker:
            self.assertEqual(broker.get("/metrics?match=all").status, 200)
            for path in ("/metrics/", "/Metrics", "//metrics"):
                self.assertEqual(broker.get(path).status, 404)

    def test_strangers(self):
        with Broker("--allow-origins", "https://good.example") as broker:
            self.check_refused(broker, 403, Host="evil.example")
            self.check_refused(broker, 403, Origin="https://evil.example")
            self.assertEqual(broker.request("GET", "/metrics", headers={"Origin": "https://good.example"}).status, 200)
            if os.geteuid() == 0:
                broker.disconnect()
                with other_user():
                    self.check_refused(broker, 403)
                broker.disconnect()

    def test_token(self):
        with Broker(start=False) as broker:
            token = broker.dir / "token"
            token.write_text("a-token-that-is-long-enough\n")
            token.chmod(0o600)
            broker.args = ["--token-file", str(token)]
            broker.start_daemon()
            self.check_refused(broker, 401)
            self.check_refused(broker, 401, Authorization="Bearer something-else-entirely")
            scrape(broker, headers={"Authorization": "Bearer a-token-that-is-long-enough"})

    def test_switched_off(self):
        with Broker(config="[metrics]\nenabled = no\n") as broker:
            self.assertEqual(broker.post("/v1/logs", otlp.claude(otlp.claude_request("x"))).status, 200)
            self.check_refused(broker, 404)
            with h2.Connection(broker.port) as c:
                self.assertEqual(c.export(h2.LOGS, otlp.claude(otlp.claude_request("x"))).grpc_status, 0)

    def test_ten_thousand_models(self):
        """Whoever makes up names makes no series, and nothing of it is lost."""
        names, step = 10000, 250
        with Broker() as broker:
            for first in range(0, names, step):
                records = [otlp.claude_request("x", model=f'm-{n}"\\', request_id=f"req_{n}", cost_usd="0.25") for n in range(first, first + step)]
                self.assertEqual(broker.post("/v1/logs", otlp.claude(*records)).status, 200)
            answer = broker.request("GET", "/metrics", headers={"Accept": OPEN})
            self.assertLess(len(answer.body), 256 * 1024)
            page = openmetrics.read(answer.body, True)
            models = {x["model"]: n for x, n in page.series("agentbus_requests_total")}
            self.assertEqual(len(models), MODELS + 1)
            self.assertEqual(models["other"], names - MODELS)
            self.assertEqual(models['m-0"\\'], 1)
            self.assertEqual(page.sum("agentbus_tokens_total", type="input"), 100 * names)
            self.assertEqual(page.sum("agentbus_cost_usd_total"), names / 4)

    def test_while_a_thousand_requests_come(self):
        """Each scrape is a page, and counters only go up."""
        with Broker() as broker, h2.Connection(broker.port) as c:
            load, last = otlp.Load(records=5), 0
            for _ in range(200):
                streams = []
                for _ in range(5):
                    stream = c.start(h2.LOGS)
                    c.send(stream, h2.framed(load.next()[1]), end=True)
                    streams.append(stream)
                now = scrape(broker).sum("agentbus_requests_total")
                self.assertGreaterEqual(now, last)
                last = now
                for stream in streams:
                    self.assertEqual(c.finish(stream).grpc_status, 0)
                self.assertLessEqual(last, load.count * 5)
                self.assertEqual(scrape(broker).sum("agentbus_requests_total"), load.count * 5)


class Prometheus(Process):
    """The real one, with its data in the broker's directory."""

    def __init__(self, broker, token=None):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        home = broker.dir / "prometheus"
        home.mkdir()
        shutil.copy(CONTRIB / "agentbus.rules.yml", home)
        config = (CONTRIB / "prometheus.yml").read_text().replace("127.0.0.1:4318", f"127.0.0.1:{broker.port}").replace("15s", "200ms")
        if token:
            config = config.replace("    # authorization:\n    #   credentials_file: /etc/prometheus/agentbus.token\n",
                                    f"    authorization:\n      credentials_file: {token}\n")
        (home / "prometheus.yml").write_text(config)
        super().__init__([shutil.which("prometheus"), f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
                          f"--web.listen-address=127.0.0.1:{self.port}", "--enable-feature=exemplar-storage", "--log.level=warn"],
                         broker.env, broker.dir / "prometheus.stderr", stdout=broker.dir / "prometheus.stdout", cwd=home)

    def get(self, path, **arguments):
        """The data of an answer of its API, or None while it is not there yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(arguments)}")
            response = connection.getresponse()
            return json.loads(response.read())["data"] if response.status == 200 else None
        except OSError:
            return None
        finally:
            connection.close()

    def query(self, text):
        """[(labels, value)]"""
        data = self.get("query", query=text)
        return [(x["metric"], float(x["value"][1])) for x in data["result"]] if data else []

    def wait_value(self, text, value):
        wait(lambda: [v for _, v in self.query(text)] == [value], 3 * PATIENCE,
             lambda: f"{text} is {self.query(text)}, not {value}; targets: {self.get('targets')}; {self.stderr()[-2000:]}")


@unittest.skipUnless(shutil.which("prometheus") and shutil.which("promtool"), "no prometheus: install the package of that name")
class Scraped(unittest.TestCase):
    def start(self, broker, **options):
        prometheus = Prometheus(broker, **options)
        self.addCleanup(prometheus.kill)  # before the broker's directory goes
        return prometheus

    def test_all_recordings(self):
        broker = self.enterContext(Broker())
        totals = post_all(broker)
        prometheus = self.start(broker)
        prometheus.wait_value('sum(agentbus_requests_total{job="agentbus"})', sum(s["requests"] for s in totals.values()))
        self.check_totals(prometheus, totals, broker)
        self.check_exemplars(prometheus, scrape(broker))
        self.check_rules(prometheus)
        # It goes on counting, and survives a restart of the broker as an end of its counters.
        broker.post("/v1/logs", otlp.claude(otlp.claude_request("one-more")))
        prometheus.wait_value("sum(agentbus_requests_total)", sum(s["requests"] for s in totals.values()) + 1)
        broker.stop()
        prometheus.wait_value('up{job="agentbus"}', 0)
        broker.start_daemon()
        prometheus.wait_value('up{job="agentbus"}', 1)
        self.assertEqual(prometheus.query("sum(agentbus_prompts_total)")[0][1], 0)

    def check_totals(self, prometheus, totals, broker):
        for provider, want in by_provider(totals).items():
            one = f'{{provider="{provider}"}}'
            for name, key in (("tool_calls", "tool_calls"), ("prompts", "prompts"), ("errors", "api_errors")):
                self.assertEqual(prometheus.query(f"sum(agentbus_{name}_total{one})")[0][1], want[key], (provider, name))
        self.assertEqual({(x["provider"], x["model"], x["type"]): v for x, v in prometheus.query("agentbus_tokens_total{type!='reasoning'}")},
                         {(*k, t): u[key] for k, u in by_model(totals).items() for t, key in TOKEN_TYPES.items()})
        cost = prometheus.query("sum(agentbus_cost_usd_total)")[0][1]
        self.assertAlmostEqual(cost, cost_of(broker), places=9)
        types = prometheus.get("metadata", metric="agentbus_request_duration_seconds")
        self.assertEqual([m["type"] for m in types["agentbus_request_duration_seconds"]], ["histogram"])
        self.assertGreater(prometheus.query("histogram_quantile(0.5, sum by (le) (agentbus_request_duration_seconds_bucket))")[0][1], 0)
        self.assertEqual(prometheus.query("agentbus_store_writable")[0][1], 1)

    def check_exemplars(self, prometheus, page):
        def stored():
            data = prometheus.get("query_exemplars", query="agentbus_request_duration_seconds_bucket", start=1.7e9, end=2e9)
            return {(s["seriesLabels"]["provider"], s["seriesLabels"]["model"], e["labels"]["trace_id"], float(e["value"]),
                     round(float(e["timestamp"]), 3)) for s in data or [] for e in s["exemplars"]}
        want = {(dict(labels)["provider"], dict(labels)["model"], e["trace_id"], value, time)
                for (_, labels), (e, value, time) in page.exemplars.items()}
        self.assertGreater(len(want), 3)
        wait(lambda: stored() >= want, PATIENCE, lambda: f"not there: {want - stored()}")

    def check_rules(self, prometheus):
        def health():
            return {r["name"]: r["health"] for g in prometheus.get("rules")["groups"] for r in g["rules"]}
        self.assertGreaterEqual(len(health()), 5)
        self.assertEqual([name for name, state in health().items() if state == "err"], [])
        for expression in [r["query"] for g in prometheus.get("rules")["groups"] for r in g["rules"]]:
            self.assertIsNotNone(prometheus.get("query", query=expression), expression)

    def test_token(self):
        broker = self.enterContext(Broker(start=False))
        token = broker.dir / "token"
        token.write_text("a-token-that-is-long-enough\n")
        token.chmod(0o600)
        broker.args = ["--token-file", str(token)]
        broker.start_daemon()
        self.start(broker, token=token).wait_value('up{job="agentbus"}', 1)

    def test_what_is_shipped(self):
        for what, name in (("rules", "agentbus.rules.yml"), ("config", "prometheus.yml")):
            done = subprocess.run(["promtool", "check", what, str(CONTRIB / name)], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("SUCCESS", done.stdout)


if __name__ == "__main__":
    unittest.main()
