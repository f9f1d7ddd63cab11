"""What sessions cost: every recording's tokens times the price table, worked out here once more; one's own prices; what is kept."""
import json
import re
import signal
import sqlite3
import unittest
from decimal import Decimal

import otlp
from harness import REPO, Broker, Recording, recordings
from totals import expected_of

MODELS = json.loads((REPO / "contrib" / "pricing" / "models.json").read_text(), parse_float=Decimal)["models"]
PICO, UNKNOWN = Decimal(10) ** 12, Decimal(5)
KINDS = ("input", "output", "cache_read", "cache_write_5m")
TOO_LARGE_FOR_THE_FIRST_TIER = 200_000


def rates_of(model):
    """USD per million tokens, or None: by name, alias, or either without its date."""
    for name in (model, re.sub(r"-(\d{8}|\d{4}-\d\d-\d\d)$", "", model)):
        for key in (lambda m: [m["name"]], lambda m: m.get("aliases", [])):
            for m in MODELS:
                if name in key(m):
                    return {k: Decimal(v) for k, v in m["rates"].items()}
    return None


def price(model, usage):
    """Pico-dollars of all requests of a model together, and whether that is a guess."""
    rates = rates_of(model)
    if rates is None:
        return (usage["input_tokens"] + usage["output_tokens"]) * UNKNOWN / 10**6 * PICO, True
    read, write = usage["cache_read_tokens"], usage["cache_write_tokens"]
    tokens = dict(zip(KINDS, (usage["input_tokens"] - read - write, usage["output_tokens"], read, write)))
    rates.setdefault("cache_write_5m", rates["input"])
    guess = "cache_read" not in rates and read > 0
    rates.setdefault("cache_read", rates["input"] / 10)
    return sum(rates[k] * n for k, n in tokens.items()) / 10**6 * PICO, guess


def status(broker):
    """Sessions by id, with their numbers as they are written."""
    done = broker.run("agentbus", "status", "--json", "--all")
    return {s["id"]: s for s in json.loads(done.stdout, parse_float=Decimal)["sessions"]}


def pico(usd):
    return None if usd is None else Decimal(usd) * PICO


class Cost(unittest.TestCase):
    def check(self, recording):
        with Broker() as broker:
            broker.post_recording(recording)
            sessions = status(broker)
        checked = 0
        for sid, want in expected_of(recording).items():
            if not want["requests"]:
                continue
            got = sessions[sid]
            parts = {m: price(m, u) for m, u in want["by_model"].items()}
            computed, guessed = sum(p for p, _ in parts.values()), any(g for _, g in parts.values())
            reported = pico(Decimal(repr(want["reported_cost_usd"])))
            self.assertEqual(pico(got["computed_cost_usd"]), computed, sid)
            if reported:
                # Its own figures are binary fractions: each is right to the nearest pico-dollar.
                self.assertAlmostEqual(pico(got["cost_usd"]), reported, delta=want["requests"])
                self.assertAlmostEqual(computed, reported, delta=want["requests"], msg=sid)
                self.assertFalse(got["cost_estimated"], sid)
            else:
                self.assertEqual(pico(got["cost_usd"]), computed, sid)
                self.assertEqual(got["cost_estimated"], guessed, sid)
            for model, (cost, guess) in parts.items():
                self.assertAlmostEqual(pico(got["cost_by_model"][model]["cost_usd"]), cost, delta=want["requests"] if reported else 0)
                self.assertEqual(got["cost_by_model"][model]["cost_estimated"], guess and not reported, f"{sid} {model}")
            checked += 1
        return checked

    def test_requests_are_below_the_first_tier(self):
        """Or else sums of tokens would not tell what each request costs."""
        for recording in recordings():
            for sid, want in recording.expected.items():
                if want["requests"]:
                    self.assertLess(want["input_tokens"] / want["requests"], TOO_LARGE_FOR_THE_FIRST_TIER, sid)

    def test_models_of_the_recordings(self):
        names = {m for r in recordings() for want in r.expected.values() for m in want["by_model"]}
        without = {m for m in names if rates_of(m) is None}
        self.assertLessEqual(without, {"gemini-3.8-flash", "gemini-3.5-flash-lite", "qwen3-coder-plus", "gpt-6.1-sol"})
        self.assertLessEqual({"claude-opus-5-5", "gpt-5.5"}, names - without)


def add_test(recording):
    name = "test_" + re.sub(r"\W", "_", recording.name)
    setattr(Cost, name, lambda self: self.assertGreaterEqual(self.check(recording), 0))


for each in (*recordings(), Recording(REPO / "contrib" / "demo")):
    add_test(each)


OWN = '{"models": [{"name": "%s", "rates": {"input": %s, "output": %s}}]}'


def request(session, **more):
    """An answer that Claude Code gives no figure for: 100 tokens of input, 7 of output."""
    at, attributes = otlp.claude_request(session, **more)
    if "cost_usd" not in more:
        del attributes["cost_usd"]
    return otlp.claude((at, attributes))


class Prices(unittest.TestCase):
    def one(self, broker, session="s"):
        return status(broker)[session]

    def test_own_prices_from_start_to_reload(self):
        with Broker(start=False) as broker:
            prices = broker.dir / "prices.json"
            broker.write_config(f"[pricing]\nfile = {prices}\n")
            done = broker.run("agentbusd", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr, f"agentbusd: {prices}: No such file or directory\n")
            prices.write_text(OWN % ("mine", "1", '"a lot"'))
            for args in (["--listen", "127.0.0.1:0"], ["--check-config"]):
                done = broker.run("agentbusd", *args)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{prices}: models[0].rates.output: expected a decimal number", done.stderr)
            prices.write_text(OWN % ("mine", "1", "2"))
            self.assertEqual(broker.run("agentbusd", "--check-config").returncode, 0)
            broker.start_daemon()

            broker.post(otlp.LOGS, request("s", model="mine"))
            self.assertEqual(pico(self.one(broker)["cost_usd"]), 105_000_000)
            prices.write_text(OWN % ("mine", "10", "20"))
            self.reload(broker, 1, r"prices of \d+ models")
            broker.post(otlp.LOGS, request("s", model="mine"))
            self.assertEqual(pico(self.one(broker)["cost_usd"]), 105_000_000 + 1_050_000_000)

            prices.write_text("{")
            self.reload(broker, 1, "the prices were not read again: the old ones stay in force")
            self.assertIn(f"{prices}:1: this is no JSON", broker.daemon.stderr())
            broker.post(otlp.LOGS, request("s", model="mine"))
            self.assertEqual(pico(self.one(broker)["cost_usd"]), 105_000_000 + 2 * 1_050_000_000)

            broker.write_config("")
            self.reload(broker, 2, r"prices of \d+ models")
            broker.post(otlp.LOGS, request("t", model="mine"))
            got = self.one(broker, "t")
            self.assertEqual((pico(got["cost_usd"]), got["cost_estimated"]), (107 * 5_000_000, True))

    def reload(self, broker, count, line):
        """The log is a file: a request and its answer is a turn of the loop, after which the signal has been handled."""
        broker.daemon.send(signal.SIGHUP)
        for _ in range(1000):
            if len(re.findall(line, broker.daemon.stderr())) >= count:
                return
            broker.get("/healthz")
        self.fail(f"not {count} times {line} in: {broker.daemon.stderr()}")

    def test_figures_of_the_cli_and_of_the_table_are_added(self):
        with Broker() as broker:
            broker.post(otlp.LOGS, request("s", cost_usd="0.5"))
            broker.post(otlp.LOGS, request("s"))
            got = self.one(broker)
            # 70 x 4 + 10 x 0.2 + 20 x 5 + 7 x 20
            computed = 522_000_000
            self.assertEqual(pico(got["computed_cost_usd"]), 2 * computed)
            self.assertEqual(pico(got["reported_cost_usd"]), 500_000_000_000)
            self.assertEqual(pico(got["cost_usd"]), 500_000_000_000 + computed)
            self.assertFalse(got["cost_estimated"])
            broker.post(otlp.LOGS, request("s", model="claude-opus-5-5-unheard-of"))
            got = self.one(broker)
            self.assertEqual(pico(got["cost_usd"]), 500_000_000_000 + computed + 107 * 5_000_000)
            self.assertTrue(got["cost_estimated"])
            table = broker.run("agentbus", "status").stdout
            self.assertIn(" ~$0.50 ", table)

    def test_speed_caches_and_tiers(self):
        with Broker() as broker:
            cases = {
                "fast": ({"model": "claude-opus-4-8", "speed": "fast"}, 2 * 655_000_000),
                "normal": ({"model": "claude-opus-4-8", "speed": "normal"}, 655_000_000),  # 70 x 5, 10 x .5, 20 x 6.25, 7 x 25
                "hour": ({"cache_creation_1h_tokens": 20, "cache_creation_5m_tokens": 0}, 582_000_000),
                "dated": ({"model": "claude-opus-5-5-20261001"}, 522_000_000),
                "below": ({"model": "claude-sonnet-4-5", "input_tokens": 199_970}, 199_970 * 3_000_000 + 183_000_000),
                "above": ({"model": "claude-sonnet-4-5", "input_tokens": 199_971}, 199_971 * 6_000_000 + 313_500_000),
            }
            for session, (more, want) in cases.items():
                broker.post(otlp.LOGS, request(session, **more))
            got = status(broker)
            for session, (_, want) in cases.items():
                self.assertEqual(pico(got[session]["cost_usd"]), want, session)
                self.assertFalse(got[session]["cost_estimated"], session)

    def test_events_tell_it(self):
        with Broker() as broker:
            watch = broker.watch()
            broker.post(otlp.LOGS, request("s", model="unheard-of"))
            event = watch.wait_for(lambda e: e["kind"] == "api_request")
            self.assertEqual((event["details"]["cost_usd"], event["details"]["cost_estimated"]), (0.000535, True))
            self.assertEqual((event["session"]["cost_usd"], event["session"]["cost_estimated"]), (0.000535, True))
            self.assertEqual(event["session"]["cost_by_model"]["unheard-of"]["cost_usd"], 0.000535)

    def test_it_survives_the_broker(self):
        with Broker() as broker:
            broker.post(otlp.LOGS, request("s", cost_usd="0.5"))
            broker.post(otlp.LOGS, request("s", model="unheard-of"))
            before = self.one(broker)
            broker.kill()
            broker.start_daemon()
            after = self.one(broker)
            for key in ("cost_usd", "cost_estimated", "reported_cost_usd", "computed_cost_usd", "by_model", "cost_by_model"):
                self.assertEqual(after[key], before[key], key)
            broker.post(otlp.LOGS, request("s"))
            self.assertEqual(pico(self.one(broker)["cost_usd"]), pico(before["cost_usd"]) + 522_000_000)
            broker.stop()
            db = sqlite3.connect(broker.dir / "state" / "agentbus" / "agentbus.db")
            rows = db.execute("SELECT model, reported_cost, computed_cost, unreported_cost, estimated FROM usage ORDER BY model").fetchall()
            db.close()
            self.assertEqual(rows, [("claude-opus-5-5", 500_000_000_000, 1_044_000_000, 522_000_000, 0),
                                    ("unheard-of", 0, 535_000_000, 535_000_000, 1)])


if __name__ == "__main__":
    unittest.main()
