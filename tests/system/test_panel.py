"""eww-subscriber: what a panel is told, when, and how it ends."""
import os
import signal
import subprocess
import time
import unittest

import otlp
from harness import PATIENCE, REPO, Broker, JsonProcess, Sandbox, recording

ICONS = REPO / "contrib" / "icons"

KEYS = ["version", "connected", "has_working", "has_waiting", "counts", "totals", "tooltip", "sessions", "more"]
COUNTS = ["waiting", "working", "completed", "idle"]
TOTALS = ["sessions", "tokens", "input_tokens", "output_tokens", "requests", "tool_calls", "errors", "cost_usd"]
SESSION = ["id", "tool", "provider", "state", "since", "since_text", "project", "model", "label", "icon", "tokens", "cost_usd",
           "cost_estimated", "errors", "failed", "last_error", "parent_id", "children", "current_tool", "requests", "tool_calls",
           "prompts", "branch"]
TOKENS = ["input", "output", "cache_read", "cache_write", "reasoning", "total"]


class RawLines(JsonProcess):
    """Keeps the text of each line beside its value, and when it came."""

    def parse(self, line):
        value = super().parse(line)
        self.__dict__.setdefault("texts", []).append(line)
        self.__dict__.setdefault("times", []).append(time.monotonic())
        return value


def panel(box, *args):
    return box.start("eww-subscriber", *args, kind=RawLines)


def shows(**wanted):
    """A predicate: the line has a session for which all of this holds."""
    return lambda line: any(all(s[k] == v for k, v in wanted.items()) for s in line["sessions"])


class Panel(unittest.TestCase):
    def check_shape(self, line):
        self.assertEqual(list(line), KEYS)
        self.assertEqual(line["version"], 1)
        self.assertEqual(list(line["counts"]), COUNTS)
        self.assertEqual(list(line["totals"]), TOTALS)
        for s in line["sessions"]:
            self.assertEqual(list(s), SESSION)
            self.assertEqual(list(s["tokens"]), TOKENS)
            self.assertIn(s["state"], COUNTS)
            self.assertTrue((ICONS / f"{s['icon']}.svg").exists(), s["icon"])
        for state, count in line["counts"].items():
            self.assertEqual(count, sum(s["state"] == state for s in line["sessions"]))
        self.assertEqual(line["has_working"], line["counts"]["working"] > 0)
        self.assertEqual(line["has_waiting"], line["counts"]["waiting"] > 0)
        self.assertEqual(line["totals"]["sessions"], len(line["sessions"]))
        order = [(COUNTS.index(s["state"]), s["since"]) for s in line["sessions"]]
        self.assertEqual(order, sorted(order))

    def check_lines(self, process):
        self.assertTrue(process.lines)
        for line in process.lines:
            self.check_shape(line)
        for one, next_one in zip(process.texts, process.texts[1:]):
            self.assertNotEqual(one, next_one, "the same line twice")

    def test_without_a_broker(self):
        with Sandbox() as box:
            p = panel(box)
            p.wait_count(1)
            self.check_lines(p)
            self.assertFalse(p.lines[0]["connected"])
            p.stop()
            self.assertEqual(len(p.lines), 1)
            self.assertEqual(p.stderr(), "")

    def test_first_line_is_the_brokers(self):
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            p = panel(broker)
            p.wait_count(1)
            self.assertTrue(p.lines[0]["connected"])
            self.assertEqual([s["id"] for s in p.lines[0]["sessions"]], ["s-1"])
            self.check_lines(p)

    def test_a_turn(self):
        with Broker() as broker:
            p = panel(broker)
            p.wait_for(lambda line: line["connected"])
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            p.wait_for(shows(id="s-1", state="working", prompts=1, tool="claude", icon="agentbus-claude-symbolic"))
            broker.post("/v1/logs", otlp.claude(otlp.claude_request("s-1")))
            line = p.wait_for(shows(id="s-1", requests=1))
            s = line["sessions"][0]
            self.assertEqual(list(s["tokens"].values()), [100, 7, 10, 20, 0, 107])
            self.assertEqual((s["cost_usd"], line["totals"]["cost_usd"], line["totals"]["tokens"]), (0.001, 0.001, 107))
            self.assertIn("claude-opus-5-5", line["tooltip"])
            self.check_lines(p)

    def test_no_line_for_what_no_panel_shows(self):
        with Broker() as broker:
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1", at=1000 * 10**9)))
            p = panel(broker)
            p.wait_for(shows(id="s-1"))
            # The same request again changes only when the session was last heard of; one of a new session marks the end.
            for _ in range(5):
                broker.post("/v1/metrics", b"")
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-2")))
            p.wait_for(shows(id="s-2"))
            self.assertLessEqual(len(p.lines), 3)
            self.check_lines(p)

    def test_rate(self):
        """Far more changes than lines: newest wins, and the last state is printed."""
        with Broker() as broker:
            p = panel(broker, "--rate", "4")
            p.wait_for(lambda line: line["connected"])
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            for n in range(100):
                broker.post("/v1/logs", otlp.claude(otlp.claude_request("s-1", request_id=f"req_{n}")))
            p.wait_for(shows(id="s-1", requests=100))
            gaps = [b - a for a, b in zip(p.times, p.times[1:])]
            self.assertGreaterEqual(min(gaps), 0.2, gaps)
            self.check_lines(p)

    def test_broker_goes_and_comes(self):
        with Broker() as broker:
            p = panel(broker)
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-1")))
            p.wait_for(shows(id="s-1"))
            broker.kill()
            away = p.wait_for(lambda line: not line["connected"], start=len(p.lines) - 1)
            self.assertEqual(away["sessions"], [])
            start = len(p.lines)
            broker.start_daemon()
            p.wait_for(lambda line: line["connected"], start=start)
            broker.post("/v1/logs", otlp.claude(otlp.claude_prompt("s-2")))
            p.wait_for(shows(id="s-2"), start=start)
            self.check_lines(p)
            p.stop(signal.SIGINT)

    def test_children_are_part_of_their_parent(self):
        with Broker() as broker:
            p = panel(broker)
            broker.replay(recording("claude/subagent").dir)
            sessions = broker.sessions()
            p.wait_for(lambda line: line["totals"]["requests"] == sum(s["requests"] for s in sessions.values()))
            line = p.lines[-1]
            self.assertEqual({s["id"] for s in line["sessions"]},
                             {i for i, s in sessions.items() if not s["auxiliary"] and not s["ended"]})
            self.check_lines(p)

    def test_reader_that_goes(self):
        """Ends by itself when nobody reads any more, though nothing happens that could be printed."""
        with Sandbox() as box:
            read, write = os.pipe()
            p = subprocess.Popen([box.program("eww-subscriber")], env=box.env, stdout=write, stderr=subprocess.PIPE)
            os.close(write)
            self.assertTrue(os.read(read, 65536).endswith(b"\n"))
            os.close(read)
            _, stderr = p.communicate(timeout=PATIENCE)
            self.assertEqual((p.returncode, stderr), (0, b""))

    def test_reader_that_sleeps(self):
        """A full pipe holds up nothing but the output: SIGTERM still ends it."""
        with Broker() as broker:
            for n in range(300):
                broker.post("/v1/logs", otlp.claude(otlp.claude_prompt(f"s-{n:0100}")))
            read, write = os.pipe()
            p = subprocess.Popen([broker.program("eww-subscriber")], env=broker.env, stdout=write)
            os.close(write)
            self.assertTrue(os.read(read, 10))
            p.send_signal(signal.SIGTERM)
            self.assertEqual(p.wait(PATIENCE), 0)
            os.close(read)

    def test_configuration(self):
        with Sandbox() as box:
            path = box.dir / "my.conf"
            path.write_text("[agentbus]\n[eww-subscriber]\nrate = fast\n")
            done = box.run("eww-subscriber", "--config", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr, f"eww-subscriber: {path}:3: rate: 'fast' is not a number from 0.1 to 1000\n")
            done = box.run("eww-subscriber", env={"AGENTBUS_EWW_RATE": "0"})
            self.assertEqual(done.returncode, 2)
            self.assertEqual(box.run("eww-subscriber", "extra").returncode, 2)


if __name__ == "__main__":
    unittest.main()
