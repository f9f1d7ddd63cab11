#!/usr/bin/env python3
"""One language for all CLIs: what a backend gets of each provider's recordings, in each encoding, by the same queries."""
import concurrent.futures
import os
import sys
import time
import unittest

import harness
import otlp
from backend import Backend
from followers import wait
from harness import PATIENCE, Broker, recording, recordings
from passed_on import ENCODINGS, Got, orphans, play, requests_of, sums
from totals import expected_of
import otlp_read

SANITIZED = bool(os.environ.get("AGENTBUS_SANITIZED"))
# One of each provider that does most things; what is bundled comes last.
DOING = {"claude": ("claude/tool", "claude/json"), "codex": ("codex/tool", "codex/outline"), "gemini": ("gemini/tool", "gemini/grpc"),
         "qwen": ("qwen/tool", "qwen/grpc")}
ON_EVERY = {"session.id", "gen_ai.conversation.id", "gen_ai.provider.name", "gen_ai.system", "openinference.span.kind"}
ON_LLM = ON_EVERY | {"gen_ai.operation.name", "gen_ai.request.model", "llm.model_name"}
ON_ANSWERS = ON_LLM | {
    "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.cost_usd", "cost.estimated",
    "llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total", "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_write", "llm.token_count.completion_details.reasoning"}
ON_TOOL = ON_EVERY | {"gen_ai.operation.name", "gen_ai.tool.name", "tool.name", "gen_ai.tool.call.id"}
OPERATIONS = {"LLM": "chat", "TOOL": "execute_tool", "AGENT": "invoke_agent"}
COUNTS = ("requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def first_of(names):
    for name in names:
        try:
            return recording(name)
        except unittest.SkipTest:
            pass
    raise unittest.SkipTest(f"none of {names}")


def answers(expected):
    return sum(s["requests"] for s in expected.values())


def sent_spans(rec):
    return [x for signal, r in requests_of(rec) if signal == "traces" for _, _, x in otlp_read.spans(r)]


def at_once(test, check, cases):
    """Checks several cases at a time: mostly they wait for what is held. The first word of a case is its name."""
    with concurrent.futures.ThreadPoolExecutor(4 if SANITIZED else 8) as pool:
        running = {case[0]: pool.submit(check, *case) for case in cases}
        for name, done in running.items():
            with test.subTest(name):
                try:
                    done.result()
                except unittest.SkipTest as skipped:
                    print(f"{name}: {skipped}", file=sys.stderr)


class OneLanguage(unittest.TestCase):
    def check_names(self, got):
        for resource, x in got.spans:
            self.assertLessEqual(ON_EVERY, x["attributes"].keys(), x["name"])
        for _, record in got.records:
            self.assertIn("session.id", record["attributes"])
        for x in got.of_kind("LLM"):
            answered = "error.type" not in x["attributes"]
            self.assertLessEqual(ON_ANSWERS if answered else ON_LLM, x["attributes"].keys(), x)
        for x in got.of_kind("TOOL"):
            self.assertLessEqual(ON_TOOL, x["attributes"].keys(), x)
        for kind, operation in OPERATIONS.items():
            self.assertEqual({x["attributes"]["gen_ai.operation.name"] for x in got.of_kind(kind)} - {operation}, set(), kind)

    def check_sums(self, got, expected, sessions):
        """Tokens and cost of the spans are those of the logs, by session."""
        for sid, total in sums(got.of_kind("LLM")).items():
            self.assertEqual({k: total[k] for k in COUNTS}, {k: expected[sid][k] for k in COUNTS}, sid)
            self.assertAlmostEqual(total["cost"] / 1e12, sessions[sid]["cost_usd"], delta=1e-9)

    def check(self, provider, encoding):
        rec = first_of(DOING[provider])
        expected = expected_of(rec)
        got, sessions, _ = play(rec, ENCODINGS[encoding], lambda g: sum(t["requests"] for t in sums(g.of_kind("LLM")).values())
                                >= answers(expected) and g.of_kind("TOOL"))
        self.check_names(got)
        self.check_sums(got, expected, sessions)
        self.assertEqual(sum(t["requests"] for t in sums(got.of_kind("LLM")).values()), answers(expected))
        self.assertEqual(got.orphans() - orphans(sent_spans(rec)), set())


    def check_recording(self, rec):
        """As fast as it can be sent: nothing that was an orphan only now, and each answer once."""
        expected = expected_of(rec)
        got, sessions, _ = play(rec, until=lambda g: sum(t["requests"] for t in sums(g.of_kind("LLM")).values()) >= answers(expected))
        self.check_names(got)
        self.check_sums(got, expected, sessions)
        self.assertEqual(sum(t["requests"] for t in sums(got.of_kind("LLM")).values()), answers(expected))

    @unittest.skipUnless(harness.CAPTURES.is_dir(), f"no {harness.CAPTURES}: only bundled recordings are tested")
    def test_all_recordings(self):
        at_once(self, lambda name: self.check_recording(recording(name)), [(rec.name,) for rec in recordings(harness.CAPTURES)])


# What the broker puts in the place of a CLI's own value, since it means the same for every CLI.
REPLACED = {"error.type", "gen_ai.operation.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens"}


def without_defaults(message):
    """A message as protobuf has it, whatever JSON spelt out: no empty texts, lists and zeros but values of attributes and points."""
    if isinstance(message, list):
        return [without_defaults(m) for m in message] or None
    if not isinstance(message, dict):
        return message or None
    kept = {k: v if k in ("attributes", "as_int", "as_double") else without_defaults(v) for k, v in message.items()}
    return {k: v for k, v in kept.items() if v not in (None, {})} or None


class NothingElse(unittest.TestCase):
    """All that a CLI sent arrives, where nothing is to be dropped: what is added is beside it."""

    def check_same(self, before, after):
        for key, value in before.items():
            if key == "attributes":
                after_attributes = after.get(key, {})
                self.assertEqual({k: v for k, v in value.items() if v is not None and after_attributes.get(k) != v and k not in REPLACED}, {})
            else:
                self.assertEqual(without_defaults(after.get(key)), without_defaults(value), key)

    def check(self, rec):
        sent = {signal: [] for signal in ("logs", "traces", "metrics")}
        for signal, request in requests_of(rec):
            sent[signal].append(request)
        keep = ("--content", "keep", "--internal-spans", "keep", "--synthesise", "off", "--hold-spans", "100ms")
        spans = {x["span_id"]: x for r in sent["traces"] for _, _, x in otlp_read.spans(r)}
        points = [p for r in sent["metrics"] for _, _, m in otlp_read.metrics(r) for p in otlp_read.points(m)]
        got, _, _ = play(rec, args=keep, until=lambda g: len(g.spans) >= len(spans) and len(g.points) >= len(points))
        self.assertEqual(len(got.spans), len(spans))
        for _, span in got.spans:
            self.check_same(spans[span["span_id"]], span)
        records = [x for r in sent["logs"] for _, _, x in otlp_read.log_records(r)]
        self.assertEqual(len(got.records), len(records))
        for before, (_, after) in zip(records, got.records):
            self.check_same(before, after)
        self.assertEqual(without_defaults([p for _, p in got.points]), without_defaults(points))

    def test_bundled_recordings(self):
        at_once(self, lambda name: self.check(recording(name)), [(rec.name,) for rec in recordings(harness.BUNDLED)])


# What failed, and how: one class in the recording's spans, in what status says, and in /metrics.
FAILING = {"claude/auth-error": "auth", "claude/overloaded": "server", "claude/rate-limit-fatal": "rate_limit", "claude/server-error": "server",
           "claude/timeout": "timeout", "codex/rate-limit": "rate_limit", "codex/rate-limit-fatal": "rate_limit", "codex/auth-error": "auth",
           "codex/server-error": "server", "codex/timeout": "timeout", "gemini/auth-error": "auth", "gemini/rate-limit": "rate_limit",
           "gemini/rate-limit-fatal": "rate_limit", "gemini/server-error": "server", "gemini/timeout": "network", "qwen/auth-error": "auth"}


class Failures(unittest.TestCase):
    """Spans say the class that events and status say, whether they tell of the failure themselves or only their logs do."""

    def check(self, name, error_type):
        got, sessions, _ = play(recording(name), until=lambda g: any("error.type" in x["attributes"] for x in g.of_kind("LLM")))
        failed = [x["attributes"] for x in got.of_kind("LLM") if "error.type" in x["attributes"]]
        self.assertEqual({a["error.type"] for a in failed}, {error_type})
        self.assertEqual({s["error_type"] for s in sessions.values() if s["error_type"]}, {error_type})
        self.assertLessEqual({t for s in sessions.values() for t in s["errors_by_type"]}, {error_type})
        for attributes in failed:
            self.assertTrue(attributes["error.message"])
            self.assertNotIn("gen_ai.usage.cost_usd", attributes)

    def test_failing_recordings(self):
        at_once(self, self.check, FAILING.items())


def span_request(attributes, more=b"", resource=otlp.CLAUDE, name="claude_code.llm_request", trace=b"t" * 16, span=b"s" * 8):
    """One span that ended a moment ago, after half a second."""
    end = time.time_ns() - 1_000_000
    body = (otlp.field(1, trace) + otlp.field(2, span) + otlp.field(5, name) + otlp.fixed64(7, end - 500_000_000) + otlp.fixed64(8, end)
            + otlp.attributes(9, attributes) + more)
    return otlp.field(1, otlp.field(1, otlp.attributes(1, resource)) + otlp.field(2, otlp.field(2, body)))


CALL = {"session.id": "waits", "request_id": "req_1", "model": "claude-opus-5-5", "input_tokens": 70, "output_tokens": 7}


class Waiting(unittest.TestCase):
    """A span and the log record of the same call, which come on connections of their own."""

    def start(self, *args):
        backend = self.enterContext(Backend())
        return backend, self.enterContext(Broker("--core-dumps", "--forward", backend.url, *args))

    def post(self, broker, path, body):
        self.assertEqual(broker.post(path, body).status, 200)

    def span(self, backend):
        wait(lambda: Got(backend).spans, PATIENCE, lambda: "no span came")
        ((_, span),) = Got(backend).spans
        return span["attributes"]

    def test_span_waits_for_its_record(self):
        backend, broker = self.start("--hold-spans", "60s")
        self.post(broker, otlp.TRACES, span_request(CALL))
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_prompt("waits")))
        wait(lambda: Got(backend).records, PATIENCE, lambda: "no record came")
        self.assertEqual(Got(backend).spans, [])
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_request("waits", cost_usd="0.25")))
        self.assertEqual(self.span(backend)["gen_ai.usage.cost_usd"], 0.25)

    def test_record_that_came_before(self):
        backend, broker = self.start("--hold-spans", "60s")
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_request("waits", cost_usd="0.25")))
        self.post(broker, otlp.TRACES, span_request(CALL))
        self.assertEqual(self.span(backend)["gen_ai.usage.cost_usd"], 0.25)

    def test_span_without_a_record(self):
        """Goes when its time is over, with what it says itself, at the price of the table."""
        backend, broker = self.start("--hold-spans", "200ms")
        self.post(broker, otlp.TRACES, span_request(CALL))
        attributes = self.span(backend)
        self.assertEqual((attributes["gen_ai.usage.input_tokens"], attributes["cost.estimated"]), (70, False))
        self.assertAlmostEqual(attributes["gen_ai.usage.cost_usd"], 70 * 4e-6 + 7 * 20e-6, delta=1e-12)

    def test_killed_while_a_span_waits(self):
        """What was acknowledged is passed on, whatever it was waiting for."""
        backend, broker = self.start("--hold-spans", "1s")
        self.post(broker, otlp.TRACES, span_request(CALL))
        broker.kill()
        self.assertEqual(Got(backend).spans, [])
        broker.start_daemon()
        self.assertEqual(self.span(backend)["session.id"], "waits")

    def test_unknown_fields_and_own_values_stay(self):
        backend, broker = self.start("--hold-spans", "0")
        own = {**CALL, "gen_ai.provider.name": "somebody", "openinference.span.kind": "CHAIN", "my.attribute": "mine"}
        self.post(broker, otlp.TRACES, span_request(own, more=otlp.field(99, b"what is this")))
        attributes = self.span(backend)
        self.assertEqual(Got(backend).spans[0][1]["?99"], [b"what is this"])
        for key, value in own.items():
            self.assertEqual(attributes[key], value)
        self.assertEqual(attributes["gen_ai.system"], "anthropic")

    def test_calls_without_spans(self):
        backend, broker = self.start()
        at = time.time_ns()
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_request("waits", at=at, cost_usd="0.25", duration_ms=300)))
        attributes = self.span(backend)
        span = Got(backend).spans[0][1]
        self.assertEqual((span["end_time_unix_nano"], span["start_time_unix_nano"]), (at, at - 300_000_000))
        self.assertEqual((attributes["gen_ai.usage.cost_usd"], attributes["agentbus.synthesised"]), (0.25, True))
        self.assertNotIn("parent_span_id", span)

    def test_killed_before_a_span_was_made(self):
        """What logs tell of a call is not lost either; and there is one span, however often the broker starts."""
        backend, broker = self.start()
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_request("waits", cost_usd="0.25")))
        broker.kill()
        self.assertEqual(Got(backend).spans, [])
        broker.start_daemon()
        attributes = self.span(backend)
        self.assertEqual((attributes["gen_ai.usage.cost_usd"], attributes["agentbus.synthesised"]), (0.25, True))
        wait(lambda: "agentbus_forward_held_bytes 0\n" in broker.get("/metrics").body.decode(), PATIENCE, lambda: "it still waits")
        broker.kill()
        broker.start_daemon()
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_prompt("another")))
        wait(lambda: len(Got(backend).records) >= 2, PATIENCE, lambda: "no record came")
        self.assertEqual(len({x["span_id"] for _, x in Got(backend).spans}), 1)

    def test_calls_without_spans_off(self):
        backend, broker = self.start("--synthesise", "off")
        self.post(broker, otlp.LOGS, otlp.claude(otlp.claude_request("waits")))
        time.sleep(4)  # longer than such a span takes
        self.assertEqual((len(Got(backend).records), Got(backend).spans), (1, []))

    def test_internal_spans(self):
        rec = first_of(DOING["codex"])
        dropped, _, _ = play(rec, until=lambda g: len(g.of_kind("LLM")) >= 3)
        kept, _, _ = play(rec, until=lambda g: len(g.spans) >= len(sent_spans(rec)), args=("--internal-spans", "keep"))
        self.assertEqual(len(kept.spans), len(sent_spans(rec)))
        self.assertLess(len(dropped.spans), len(kept.spans) / 5)
        for _, span in kept.spans:
            self.assertIn("session.id", span["attributes"])


def add_encoding_test(provider, encoding):
    setattr(OneLanguage, f"test_{provider}_{encoding}", lambda self: self.check(provider, encoding))


for each_provider in DOING:
    for each_encoding in ENCODINGS:
        add_encoding_test(each_provider, each_encoding)


if __name__ == "__main__":
    unittest.main()
