"""agentbus cost: what all recordings have used, by whatever is asked for, beside sums that are made here once more."""
import csv
import datetime
import io
import json
import os
import re
import sqlite3
import time
import unittest
from decimal import Decimal

import otlp
import test_cost
from harness import Broker, Sandbox, recordings
from test_cli import SGR, Terminal
from test_cost import pico
from totals import add_up, expected_of

COUNTS = ("requests", "api_errors", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
OF_MODELS = ("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
MONEY = ("cost_usd", "reported_cost_usd", "computed_cost_usd")
DAY = 24 * 3600 * 10**9


def noon():
    """Lets it be noon for all that is started from now on: no test goes on past midnight."""
    os.environ["TZ"] = f"NOON{time.gmtime().tm_hour - 12:+}"
    time.tzset()


def setUpModule():
    noon()


def tearDownModule():
    os.environ.pop("TZ")
    time.tzset()


def cost(broker, *args):
    done = broker.run("agentbus", "cost", "--json", *args)
    if done.returncode != 0:
        raise AssertionError(f"agentbus cost {args}: {done.returncode}: {done.stderr}")
    return json.loads(done.stdout, parse_float=Decimal)


def rows_of(answer):
    return {row[answer["by"]]: row for row in answer["rows"]}


class Recorded(unittest.TestCase):
    ARGS = ()

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(Broker(*cls.ARGS, env={"TZ": "UTC"}))
        cls.expected = {}
        for recording in recordings():
            cls.broker.post_recording(recording)
            add_up(cls.expected, expected_of(recording))
        cls.expected = {sid: want for sid, want in cls.expected.items() if want["requests"] or want["api_errors"]}

    def expect_counts(self, got, wants, keys=COUNTS, message=None):
        for key in keys:
            self.assertEqual(got[key], sum(want[key] for want in wants), f"{message} {key}")

    def cost_of(self, want):
        """What a session has cost, in pico-dollars, and how far the CLI's own figures may be from that."""
        if want["reported_cost_usd"]:
            return pico(Decimal(repr(want["reported_cost_usd"]))), want["requests"]
        return sum(test_cost.price(m, u)[0] for m, u in want["by_model"].items()), 0

    def expect_cost(self, got, wants, message=None):
        costs = [self.cost_of(want) for want in wants]
        self.assertAlmostEqual(pico(got["cost_usd"]), sum(c for c, _ in costs), delta=sum(d for _, d in costs), msg=message)

    def test_sessions(self):
        got = cost(self.broker, "--since", "all", "--by", "session")
        self.assertEqual(set(rows_of(got)), set(self.expected))
        self.assertEqual(len(got["rows"]), len(self.expected))
        for row in got["rows"]:
            want = self.expected[row["session"]]
            self.assertEqual(row["provider"], want["provider"])
            self.expect_counts(row, [want], message=row["session"])
            self.expect_cost(row, [want], row["session"])
        self.expect_counts(got["total"], self.expected.values())
        self.expect_cost(got["total"], self.expected.values())
        costs = [row["cost_usd"] for row in got["rows"]]
        self.assertEqual(costs, sorted(costs, reverse=True))

    def test_providers(self):
        rows = rows_of(cost(self.broker, "--since", "all", "--by", "provider"))
        self.assertEqual(set(rows), {want["provider"] for want in self.expected.values()})
        for provider, row in rows.items():
            wants = [want for want in self.expected.values() if want["provider"] == provider]
            self.expect_counts(row, wants, message=provider)
            self.expect_cost(row, wants, provider)

    def test_models(self):
        rows = rows_of(cost(self.broker, "--since", "all", "--by", "model"))
        usages = {}
        for want in self.expected.values():
            for model, usage in want["by_model"].items():
                usages.setdefault(model, []).append(usage)
        self.assertLessEqual(set(usages), set(rows))
        for model, wants in usages.items():
            self.expect_counts(rows[model], wants, OF_MODELS, model)
            computed = sum(test_cost.price(model, u)[0] for u in wants)
            self.assertEqual(pico(rows[model]["computed_cost_usd"]), computed, model)
        for model in set(rows) - set(usages):
            self.assertEqual(rows[model]["requests"], 0, f"{model} has failed only")

    def test_projects(self):
        got = cost(self.broker, "--since", "all", "--by", "project")
        known = {s["session"]: s["project"] for s in cost(self.broker, "--since", "all", "--by", "session")["rows"]}
        for session in self.broker.status()["sessions"]:
            # It may become known after the last request.
            self.assertIn(known.get(session["id"]), (None, session["project"]))
        self.assertEqual(set(rows_of(got)), set(known.values()))
        self.assertGreater(len(set(known.values())), 1)
        for project, row in rows_of(got).items():
            wants = [want for sid, want in self.expected.items() if known[sid] == project]
            self.expect_counts(row, wants, message=project)
            self.expect_cost(row, wants, project)

    def test_days(self):
        got = cost(self.broker, "--since", "all", "--by", "day")
        self.expect_counts(got["total"], self.expected.values())
        days = [row["day"] for row in got["rows"]]
        self.assertEqual(days, sorted(days))
        for key in (*COUNTS, *MONEY):
            self.assertEqual(sum(row[key] for row in got["rows"]), got["total"][key], key)
        sessions = self.broker.status()["sessions"]
        for row in got["rows"]:
            some = [s for s in sessions if s["started"][:10] <= row["day"] <= s["last_event"][:10]]
            self.assertGreaterEqual(sum(s["requests"] for s in some), row["requests"], row["day"])
        # A session that lived within one day has that day's sums.
        for day in {s["started"][:10] for s in sessions}:
            if all(s["started"][:10] == s["last_event"][:10] for s in sessions if day in (s["started"][:10], s["last_event"][:10])):
                wants = [self.expected[s["id"]] for s in sessions if s["started"][:10] == day and s["id"] in self.expected]
                self.expect_counts(rows_of(got).get(day, dict.fromkeys(COUNTS, 0)), wants, message=day)

    def test_csv_is_the_same(self):
        for by in ("day", "model", "provider", "project", "session"):
            want = cost(self.broker, "--since", "all", "--by", by)
            done = self.broker.run("agentbus", "cost", "--csv", "--since", "all", "--by", by)
            rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
            self.assertEqual(len(rows), len(want["rows"]))
            for row, other in zip(rows, want["rows"]):
                self.assertEqual(list(row), [by, *(["provider", "project"] if by == "session" else []), *COUNTS, *MONEY, "cost_estimated"])
                self.assertEqual(row[by], other[by] or "")
                for key in (*COUNTS, *MONEY):
                    self.assertEqual(Decimal(row[key]), other[key])
                self.assertEqual(row["cost_estimated"], "true" if other["cost_estimated"] else "false")

    def test_tables_fit_a_terminal(self):
        for by in ("day", "model", "provider", "project", "session"):
            with Terminal(self.broker, "cost", "--since", "all", "--by", by, rows=200) as terminal:
                status, text = terminal.read_all()
            lines = SGR.sub("", text).splitlines()
            self.assertEqual(status, 0)
            self.assertTrue(all(len(line) <= 80 for line in lines), text)
            self.assertTrue(lines[0].startswith(by.upper()) and lines[0].endswith("COST"), lines[0])
            self.assertTrue(lines[-1].startswith("total "), lines[-1])
            self.assertRegex(lines[-1], r" ~\$\d+\.\d\d$")

    def test_a_session_shows_as_in_status(self):
        table = self.broker.run("agentbus", "cost", "--since", "all", "--by", "session").stdout
        for sid, want in self.expected.items():
            name = want["provider"].removesuffix("-code").removesuffix("-cli")
            self.assertRegex(table, rf"(?m)^{re.escape(sid[-8:])}\s+{name} ")


class RecordedInMemory(Recorded):
    ARGS = ("--memory",)


def request(session, days_ago=0, model="claude-opus-5-5", **more):
    at, attributes = otlp.claude_request(session, at=time.time_ns() - days_ago * DAY, model=model, **more)
    return otlp.claude((at, attributes))


class When(unittest.TestCase):
    def day(self, days_ago):
        return (datetime.date.today() - datetime.timedelta(days=days_ago)).isoformat()

    def test_since(self):
        with Broker() as broker:
            for days_ago in (0, 0, 1, 3, 40, 400):
                broker.post(otlp.LOGS, request("s", days_ago))
            today = datetime.date.today()
            for when, count in (("today", 2), ("yesterday", 1), ("2d", 3), ("4d", 4), ("41d", 5), ("all", 6), (self.day(3), 4), (self.day(400), 6)):
                got = cost(broker, "--since", when)
                self.assertEqual(got["total"]["requests"], count, when)
                self.assertEqual(got["by"], "day")
            got = cost(broker)
            self.assertEqual((got["since"], got["until"]), (today.replace(day=1).isoformat(), None), "the default is this month")
            got = cost(broker, "--since", self.day(400)[:7])
            self.assertEqual(got["total"]["requests"], 1)
            self.assertEqual([r["day"] for r in got["rows"]], [self.day(400)])

    def test_nothing(self):
        with Broker() as broker:
            done = broker.run("agentbus", "cost", "--since", "today")
            self.assertEqual((done.returncode, done.stdout), (0, f"Nothing was used since {self.day(0)}.\n"))
            self.assertEqual(cost(broker)["rows"], [])

    def test_no_broker(self):
        with Sandbox() as box:
            done = box.run("agentbus", "cost", "--timeout", "100ms")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr, f"agentbus: no broker at {box.runtime} (start agentbusd)\n")

    def test_usage(self):
        with Sandbox() as box:
            for args, said in ((["--since", "tomorrow"], "--since: 'tomorrow' is none of today, "), (["--by", "week"], "--by: 'week' is not one of"),
                               (["--json", "--csv"], "ask for one"), (["more"], "unexpected argument more")):
                done = box.run("agentbus", "cost", *args)
                self.assertEqual(done.returncode, 2, args)
                self.assertIn(said, done.stderr)


class Kept(unittest.TestCase):
    def test_it_survives_the_broker(self):
        with Broker() as broker:
            for session in "abc":
                broker.post(otlp.LOGS, request(session))
            before = cost(broker, "--by", "session")
            broker.kill()
            broker.start_daemon()
            self.assertEqual(cost(broker, "--by", "session"), before)
            broker.post(otlp.LOGS, request("a"))
            self.assertEqual(rows_of(cost(broker, "--by", "session"))["a"]["requests"], 2)
            broker.stop()
            broker.start_daemon()
            self.assertEqual(cost(broker, "--by", "session")["total"]["requests"], 4)

    def test_in_memory_it_does_not(self):
        with Broker("--memory") as broker:
            broker.post(otlp.LOGS, request("a"))
            self.assertEqual(cost(broker)["total"]["requests"], 1)
            broker.stop()
            broker.start_daemon()
            self.assertEqual(cost(broker)["total"]["requests"], 0)

    def test_sessions_that_are_forgotten_are_still_counted(self):
        with Broker("--max-sessions", "2") as broker:
            for n in range(6):
                broker.post(otlp.LOGS, request(f"session-{n}"))
            self.assertLessEqual(len(broker.sessions()), 2)
            self.assertEqual(len(cost(broker, "--by", "session")["rows"]), 6)

    def test_what_an_older_broker_counted_is_kept(self):
        with Broker() as broker:
            broker.stop()
            db = sqlite3.connect(broker.dir / "state" / "agentbus" / "agentbus.db")
            db.executescript("""DROP TABLE usage; DROP TABLE budget; DROP TABLE forward_items; DROP TABLE forward_lanes; DROP TABLE forward_held;
                CREATE TABLE usage (day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, project TEXT NOT NULL, requests INTEGER NOT NULL,
                api_errors INTEGER NOT NULL, input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
                output INTEGER NOT NULL, reasoning INTEGER NOT NULL, reported_cost INTEGER NOT NULL, computed_cost INTEGER NOT NULL DEFAULT 0,
                unreported_cost INTEGER NOT NULL DEFAULT 0, estimated INTEGER NOT NULL DEFAULT 0,
                PRIMARY KEY (day, provider, model, project)) WITHOUT ROWID;
                INSERT INTO usage VALUES ('2026-01-02', 'codex', 'gpt-5', 'shop', 3, 0, 10, 0, 0, 5, 0, 0, 2000000000000, 2000000000000, 0);
                PRAGMA user_version = 3""")
            db.close()
            broker.start_daemon()
            broker.post(otlp.LOGS, request("new"))
            got = cost(broker, "--since", "all", "--by", "session")
            self.assertEqual([(r["session"], r["provider"], r["project"], r["requests"]) for r in got["rows"]],
                             [(None, "codex", "shop", 3), ("new", "claude-code", None, 1)])
            self.assertEqual(got["total"]["cost_usd"], Decimal("2.001"))

    def test_the_figure_of_a_turn_takes_the_place_of_a_guess(self):
        """Codex may tell what a turn cost after its requests; cost and status agree on that."""
        def codex(name, **more):
            return time.time_ns(), {"event.name": f"codex.{name}", "conversation.id": "c", "model": "gpt-unheard-of", **more}

        def post(*records):
            self.assertEqual(broker.post(otlp.LOGS, otlp.logs({"service.name": "codex_exec"}, records)).status, 200)

        with Broker() as broker:
            post(codex("user_prompt", prompt_length="5"),
                 codex("sse_event", **{"event.kind": "response.completed", "input_token_count": "1000", "output_token_count": "10"}))
            row = rows_of(cost(broker, "--by", "session"))["c"]
            self.assertEqual((pico(row["cost_usd"]), row["cost_estimated"]), (1010 * 5_000_000, True))
            post(codex("turn_cost", **{"usage.estimated_usd": "0.25"}))
            row, session = rows_of(cost(broker, "--by", "session"))["c"], test_cost.status(broker)["c"]
            for key in (*MONEY, "cost_estimated", "requests"):
                self.assertEqual(row[key], session[key], key)
            self.assertEqual((row["cost_usd"], row["cost_estimated"], row["requests"]), (Decimal("0.25"), False, 1))
            self.assertEqual(cost(broker, "--by", "day")["total"]["cost_usd"], Decimal("0.25"))


if __name__ == "__main__":
    unittest.main()
