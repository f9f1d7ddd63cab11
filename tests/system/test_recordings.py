#!/usr/bin/env python3
"""Every recording, sent as fast as possible to the real broker, gives exactly the totals of its expected.json.

    tests/system/test_recordings.py --list      a line per recording
"""
import gzip
import json
import math
import sys
import unittest

import harness
from harness import REPO, Broker, Recording, recordings

COUNTS = ("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "tool_calls",
          "prompts", "api_errors")
BY_MODEL = ("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
# Its resource gives the service another name, and what made expected.json looked no further than that. We do: it is the
# same conversation as claude/tool.
RENAMED, RENAMED_SESSION, RENAMED_LIKE = "claude/resource-attrs", "d809caf3-6872-46e2-869a-42ca50364a46", "claude/tool"
DEMO = Recording(REPO / "contrib" / "demo")


def differences(expected, sessions):
    """What is wrong, one sentence each."""
    found = []
    for sid, want in expected.items():
        got = sessions.get(sid)
        if got is None:
            # With neither a request nor a prompt there is nothing that a panel could show.
            if want["requests"] or want["prompts"]:
                found.append(f"{sid} is missing")
            continue
        found += [f"{sid} {k}: {got.get(k)}, not {want[k]}" for k in (*COUNTS, "provider") if got.get(k) != want[k]]
        if not math.isclose(got["reported_cost_usd"], want["reported_cost_usd"], rel_tol=1e-9, abs_tol=1e-12):
            found.append(f"{sid} reported_cost_usd: {got['reported_cost_usd']}, not {want['reported_cost_usd']}")
        models = {m: {k: u[k] for k in BY_MODEL} for m, u in got["by_model"].items()}
        if models != want["by_model"]:
            found.append(f"{sid} by_model: {models}, not {want['by_model']}")
    for sid, got in sessions.items():
        if sid not in expected and (got["requests"] or got["prompts"]):
            found.append(f"{sid} ({got['provider']}) should not be there")
    return found


def sessions_after(recording):
    with Broker() as broker:
        broker.post_recording(recording)
        return broker.sessions()


def expected_of(recording):
    if recording.name != RENAMED:
        return recording.expected
    (totals,) = harness.recording(RENAMED_LIKE).expected.values()
    return {RENAMED_SESSION: totals}


def add_up(totals, more):
    """Adds the expected totals of one more recording: where two hold the same session, they count together."""
    for sid, want in more.items():
        if sid not in totals:
            totals[sid] = json.loads(json.dumps(want))
            continue
        have = totals[sid]
        for key in (*COUNTS, "reported_cost_usd"):
            have[key] += want[key]
        for model, usage in want["by_model"].items():
            mine = have["by_model"].setdefault(model, dict.fromkeys(BY_MODEL, 0))
            for key in BY_MODEL:
                mine[key] += usage[key]


class Recordings(unittest.TestCase):
    def check(self, recording):
        self.assertEqual(differences(expected_of(recording), sessions_after(recording)), [])

    def test_demo(self):
        self.check(DEMO)

    def test_all_in_one_broker(self):
        totals = {}
        with Broker() as broker:
            for recording in recordings():
                broker.post_recording(recording)
                add_up(totals, expected_of(recording))
            self.assertEqual(differences(totals, broker.sessions()), [])

    def test_all_compressed_and_chunked(self):
        totals = {}
        with Broker() as broker:
            for recording in recordings():
                for request in recording.requests:
                    headers = {"Content-Type": request.content_type, "Content-Encoding": "gzip"}
                    body = gzip.compress(recording.plain(request), 1)
                    self.assertEqual(broker.post(request.path, body, headers, chunked=True).status, 200, f"{recording.name}/{request.file}")
                add_up(totals, expected_of(recording))
            self.assertEqual(differences(totals, broker.sessions()), [])

    def test_replay_command(self):
        """`agentbus replay` sends what the harness sends."""
        recording = harness.recording("claude/interactive")
        with Broker() as broker:
            broker.replay(recording.dir)
            self.assertEqual(differences(expected_of(recording), broker.sessions()), [])

    @unittest.skipUnless(harness.CAPTURES.is_dir(), f"no {harness.CAPTURES}: only the bundled recordings are tested")
    def test_captures_are_there(self):
        self.assertGreater(len(recordings(harness.CAPTURES)), 50)


def add_test(recording):
    name = "test_" + recording.name.replace("/", "_").replace("-", "_").replace(".", "_")
    setattr(Recordings, name, lambda self: self.check(recording))


for each in recordings():
    add_test(each)


def list_all():
    """A line per recording: what is wrong, or what it adds up to."""
    failed = 0
    for recording in [*recordings(), DEMO]:
        sessions = sessions_after(recording)
        wrong = differences(expected_of(recording), sessions)
        failed += bool(wrong)
        shown = [s for s in sessions.values() if s["requests"] or s["prompts"]]
        total = {k: sum(s[k] for s in shown) for k in COUNTS}
        print(f"{'FAIL' if wrong else 'ok':4} {recording.name:32} {len(shown)} sessions, {total['prompts']} prompts, "
              f"{total['requests']} requests, {total['tool_calls']} tools, {total['api_errors']} errors, "
              f"{total['input_tokens']} + {total['output_tokens']} tokens", flush=True)
        for line in wrong:
            print(f"       {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        sys.exit(list_all())
    unittest.main()
