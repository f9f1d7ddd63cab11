"""Budgets: who is told that a day or a month has reached a level, that it is once, and that no crash changes that."""
import datetime
import json
import re
import shutil
import signal
import sqlite3
import time
import unittest

import otlp
import test_cost
import test_cost_verb
import test_notify
from harness import Broker, recording
from test_cost_verb import cost
from test_metrics import scrape

DAY = 24 * 3600 * 10**9


def setUpModule():
    test_cost_verb.setUpModule()


def tearDownModule():
    test_cost_verb.tearDownModule()


def request(session, usd, days_ago=0, **more):
    """An answer that has cost so much."""
    return otlp.claude(otlp.claude_request(session, at=time.time_ns() - days_ago * DAY, cost_usd=str(usd), **more))


def day(days_ago=0):
    return (datetime.date.today() - datetime.timedelta(days=days_ago)).isoformat()


def told(watch):
    """What was told of budgets: (period, level, amount, spent)."""
    return [(e["details"]["period"], e["details"]["level"], e["details"]["budget_usd"], e["details"]["spent_usd"])
            for e in watch.events if e["kind"] == "budget"]


class BudgetCase(unittest.TestCase):
    def spend(self, broker, watch, usd, session="s", **more):
        """Posts a request, and waits until its event is seen; those of budgets come right after it, before the next one's."""
        self.assertEqual(broker.post(otlp.LOGS, request(session, usd, **more)).status, 200)
        broker.post(otlp.LOGS, otlp.claude(otlp.claude_prompt("marker")))
        self.prompts = getattr(self, "prompts", 0) + 1
        watch.wait_for(lambda _: sum(e["kind"] == "prompt" for e in watch.events) >= self.prompts)

    def reload(self, broker, text, line):
        broker.write_config(text)
        before = len(re.findall(line, broker.daemon.stderr()))
        broker.daemon.send(signal.SIGHUP)
        for _ in range(1000):
            if len(re.findall(line, broker.daemon.stderr())) > before:
                return
            broker.get("/healthz")
        self.fail(f"no {line} in: {broker.daemon.stderr()}")

    def restart(self, broker, kill):
        broker.kill() if kill else broker.stop()
        broker.start_daemon()


class Levels(BudgetCase):
    ARGS = ()

    def test_each_level_is_told_once(self):
        with Broker(*self.ARGS, config="[budget]\nday_warn = 1\nday_limit = 2.50\nmonth_limit = 4\n") as broker:
            watch = broker.watch()
            self.spend(broker, watch, "0.99")
            self.assertEqual(told(watch), [])
            self.spend(broker, watch, "0.01", session="t")
            self.assertEqual(told(watch), [("day", "warn", 1, 1)])
            event = next(e for e in watch.events if e["kind"] == "budget")
            self.assertEqual((event["session"]["id"], event["details"]["key"], event["details"]["spent_estimated"]), ("t", day(), False))
            self.spend(broker, watch, "2")
            self.spend(broker, watch, "2")
            self.spend(broker, watch, "2")
            self.assertEqual(told(watch), [("day", "warn", 1, 1), ("day", "limit", 2.5, 3), ("month", "limit", 4, 5)])
            # All of them at once, and events have no holes.
            self.assertEqual([e["seq"] for e in watch.events if e["seq"]], list(range(1, 1 + sum(bool(e["seq"]) for e in watch.events))))

    def test_where_they_stand(self):
        with Broker(*self.ARGS, "--budget-day-warn", "5", "--budget-month-limit", "12.50") as broker:
            broker.post(otlp.LOGS, request("s", "1.25"))
            broker.post(otlp.LOGS, test_cost.request("s", model="unheard-of"))
            budgets = cost(broker)["budgets"]
            self.assertEqual([(b["period"], b["level"], float(b["budget_usd"]), b["key"]) for b in budgets],
                             [("day", "warn", 5, day()), ("month", "limit", 12.5, day()[:7])])
            self.assertTrue(all(float(b["spent_usd"]) == 1.250535 and b["spent_estimated"] for b in budgets), budgets)
            table = broker.run("agentbus", "cost").stdout
            self.assertIn("\n  day    warn   ~$1.25 of $5.00  25%\n  month  limit  ~$1.25 of $12.50  10%\n", table)
            page = scrape(broker)
            self.assertEqual(page.value("agentbus_budget_usd", period="month", level="limit"), 12.5)
            self.assertEqual(page.value("agentbus_budget_spent_usd", period="day", level="warn"), 1.250535)
            self.assertEqual(len(page.series("agentbus_budget_usd")), 2)

    def test_other_days_have_their_own(self):
        with Broker(*self.ARGS, "--budget-day-limit", "1") as broker:
            watch = broker.watch()
            for days_ago in (0, 1, 0, 1, 2, 0, 1):
                self.spend(broker, watch, "0.5", days_ago=days_ago)
            self.assertEqual([e["details"]["key"] for e in watch.events if e["kind"] == "budget"], [day(0), day(1)])

    def test_a_recording(self):
        """The first request that reaches the level, by its own figures added up here."""
        expected = sum(w["reported_cost_usd"] for w in recording("claude/interactive").expected.values())
        limit = round(expected / 2, 6)
        with Broker(*self.ARGS, "--budget-day-limit", f"{limit:f}") as broker:
            watch = broker.watch()
            broker.post_recording(recording("claude/interactive"))
            broker.post(otlp.LOGS, otlp.claude(otlp.claude_prompt("marker")))
            watch.wait_for(lambda e: e["kind"] == "prompt" and e["session"]["id"] == "marker")
            events = [e for e in watch.events if e["kind"] in ("api_request", "budget")]
            spent = 0
            for i, e in enumerate(events):
                if e["kind"] == "budget":
                    continue
                reached = spent < limit <= spent + e["details"]["cost_usd"]
                spent += e["details"]["cost_usd"]
                after = events[i + 1] if i + 1 < len(events) else None
                self.assertEqual(after is not None and after["kind"] == "budget", reached)
                if reached:
                    self.assertAlmostEqual(after["details"]["spent_usd"], spent, places=9)
            self.assertEqual(len(told(watch)), 1)

    def test_reload(self):
        with Broker(*self.ARGS, config="") as broker:
            watch = broker.watch()
            self.spend(broker, watch, "3")
            self.assertEqual(told(watch), [])
            self.reload(broker, "[budget]\nday_warn = 2\nday_limit = 10\n", r"budget-day-limit is now 10\b")
            self.assertEqual(told(watch), [])
            self.spend(broker, watch, "1")
            self.assertEqual(told(watch), [("day", "warn", 2, 4)])
            self.reload(broker, "[budget]\nday_warn = 2\nday_limit = 3.5\n", r"budget-day-limit is now 3\.5")
            self.spend(broker, watch, "1")
            self.spend(broker, watch, "1")
            self.assertEqual(told(watch)[1:], [("day", "limit", 3.5, 5)])
            self.reload(broker, "", r"budget-day-limit is now")
            self.spend(broker, watch, "100")
            self.assertEqual(len(told(watch)), 2)
            self.assertEqual(cost(broker)["budgets"], [])
            broker.write_config("[budget]\nday_warn = a lot\n")
            broker.daemon.send(signal.SIGHUP)
            self.assertEqual(broker.run("agentbusd", "--check-config").stderr,
                             f'agentbusd: {broker.dir}/config/agentbus/agentbus.conf:2: day_warn: "a lot" is no sum in USD below 1000000; '
                             "write 5 or 12.50\n")


class LevelsInMemory(Levels):
    ARGS = ("--memory",)


class Durable(BudgetCase):
    def test_restarts_tell_nothing_again(self):
        for kill in (False, True):
            with self.subTest(kill=kill), Broker("--budget-day-warn", "1", "--budget-day-limit", "3") as broker:
                self.prompts = 0
                watch = broker.watch()
                self.spend(broker, watch, "0.75")
                self.restart(broker, kill)
                self.spend(broker, watch, "0.75")
                self.assertEqual(told(watch), [("day", "warn", 1, 1.5)])
                self.restart(broker, kill)
                self.spend(broker, watch, "0.75")
                self.restart(broker, kill)
                self.spend(broker, watch, "0.75")
                self.assertEqual(told(watch), [("day", "warn", 1, 1.5), ("day", "limit", 3, 3)])
                self.restart(broker, kill)
                self.spend(broker, watch, "10")
                self.assertEqual(len(told(watch)), 2)
                self.assertEqual(float(cost(broker)["budgets"][0]["spent_usd"]), 13)

    def test_what_was_spent_before_there_was_a_budget_counts(self):
        with Broker() as broker:
            watch = broker.watch()
            self.spend(broker, watch, "5")
            broker.stop()
            broker.start_daemon("--budget-month-warn", "4")
            self.spend(broker, watch, "0")
            self.spend(broker, watch, "0")
            self.assertEqual(told(watch), [("month", "warn", 4, 5)])

    def test_what_could_not_be_stored_was_neither_spent_nor_told(self):
        """Another program keeps the database locked: the request is refused, and its repetition reaches the level."""
        with Broker("--budget-day-limit", "1") as broker:
            watch = broker.watch()
            self.spend(broker, watch, "0.6")
            db = sqlite3.connect(broker.dir / "state" / "agentbus" / "agentbus.db")
            db.execute("BEGIN IMMEDIATE")
            self.assertEqual(broker.post(otlp.LOGS, request("s", "0.6")).status, 503)
            self.assertEqual(told(watch), [])
            db.rollback()
            db.close()
            deadline = time.monotonic() + 60
            while broker.post(otlp.LOGS, request("s", "0.6")).status != 200:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)  # the broker tries the database again after a second
            self.spend(broker, watch, "0")
            self.assertEqual(told(watch), [("day", "limit", 1, 1.2)])
            self.assertEqual(float(cost(broker)["total"]["cost_usd"]), 1.2)


class Heard(BudgetCase):
    def test_in_words_and_in_the_log(self):
        with Broker("--budget-day-limit", "0.5") as broker:
            watch = broker.watch()
            words = broker.start("agentbus", "watch")
            words.wait_for(lambda line: "connected" in line)
            state, log = broker.dir / "state" / "agentbus" / "log-subscriber.state", broker.dir / "events.log"
            broker.start("log-subscriber", "--file", log)
            test_notify.wait(lambda: state.exists() and state.read_bytes()[:15] == b"agentbus-cursor")
            self.spend(broker, watch, "0.75", session="a-session-01234567")
            words.wait_for(lambda line: "budget: day limit of $0.50 reached, $0.75 spent" in line and "01234567" in line)
            test_notify.wait(lambda: '"event":"budget"' in log.read_text())
            lines = {line["event"]: line for line in map(json.loads, log.read_text().splitlines())}
            line, other = lines["budget"], lines["api_request"]
            self.assertEqual((line["level"], line["budget"], line["budget_level"], line["budget_usd"], line["spent_usd"], line["session_id"]),
                             ("warn", day(), "limit", 0.5, 0.75, "a-session-01234567"))
            self.assertEqual((other["budget"], other["budget_usd"], other["level"]), (None, None, "info"))

    def test_replayed(self):
        with Broker("--budget-day-limit", "0.5") as broker:
            broker.post(otlp.LOGS, request("s", "0.75"))
            watch = broker.watch("--since", "0", ready=False)
            event = watch.wait_for(lambda e: e["kind"] == "budget")
            self.assertEqual(event["details"], {"period": "day", "key": day(), "level": "limit", "budget_usd": 0.5, "spent_usd": 0.75,
                                                "spent_estimated": False})


class Notified(test_notify.NotifyCase):
    BROKER_ARGS = ("--budget-day-warn", "1", "--budget-day-limit", "2")

    @unittest.skipUnless(shutil.which("dunst") and shutil.which("Xvfb"), "no dunst")
    def test_a_notification_for_each_level(self):
        self.start_desktop()
        monitor = test_notify.Monitor(self.desktop)
        self.start()
        self.broker.post(otlp.LOGS, request("s", "1.50"))
        test_notify.wait(lambda: self.desktop.displayed() == 1, "no warning is shown")
        self.desktop.close_all()
        self.broker.post(otlp.LOGS, request("s", "1.50"))
        test_notify.wait(lambda: len(self.desktop.history()) == 1 and self.desktop.displayed() == 1, "no limit is shown")
        self.desktop.close_all()
        notes = {n["summary"]: n for n in self.desktop.history()}
        self.assertEqual(set(notes), {"Daily spending has reached $1.00", "Daily budget of $2.00 is spent"})
        self.assertEqual([test_notify.hints(call)["urgency"] for call in monitor.calls("Notify")], [1, 2])
        self.assertEqual(notes["Daily budget of $2.00 is spent"]["body"], f"$3.00 in {day()}\nLast by Claude Code")


if __name__ == "__main__":
    unittest.main()
