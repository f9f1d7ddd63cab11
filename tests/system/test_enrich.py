#!/usr/bin/env python3
"""One language for all CLIs: what a backend gets of each provider's recordings, in each encoding, by the same queries.

    tests/system/test_enrich.py --list      a line per recording
"""
import sys
import unittest

import harness
from harness import recording, recordings
from passed_on import ENCODINGS, ERROR_TYPES, Got, describe, orphans, play, requests_of, sums
from totals import expected_of
import otlp_read

# One that does most things, and one that fails; of each provider. What is bundled comes last.
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

# Recordings whose CLI was killed, left in a hurry, or sent no traces of some answers: fewer spans than answers. By name: why.
INCOMPLETE = {}


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


def add_encoding_test(provider, encoding):
    setattr(OneLanguage, f"test_{provider}_{encoding}", lambda self: self.check(provider, encoding))


for each_provider in DOING:
    for each_encoding in ENCODINGS:
        add_encoding_test(each_provider, each_encoding)


if __name__ == "__main__":
    unittest.main()
