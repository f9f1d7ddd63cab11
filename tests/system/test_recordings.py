#!/usr/bin/env python3
"""Every recording, sent as fast as possible to the real broker, gives exactly the totals of its expected.json.

    tests/system/test_recordings.py --list      a line per recording
"""
import gzip
import sys
import unittest

import harness
from harness import REPO, Broker, Recording, recordings
from totals import COUNTS, add_up, differences, expected_of

DEMO = Recording(REPO / "contrib" / "demo")


def sessions_after(recording):
    with Broker() as broker:
        broker.post_recording(recording)
        return broker.sessions()


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

    def states_and_totals(self, look, headers):
        """What all recordings give that this one process sends: id, state and its reason of each session."""
        totals = {}
        with Broker("--processes", look) as broker:
            for recording in recordings():
                for request in recording.requests:
                    self.assertEqual(broker.post(request.path, request.body, {**request.headers, **headers}).status, 200)
                add_up(totals, expected_of(recording))
            sessions = broker.sessions()
            self.assertEqual(differences(totals, sessions), [])
            return {sid: (s["state"], s["reason"]) for sid, s in sessions.items()}

    def test_all_from_one_process(self):
        """That the broker knows who sends them makes no difference: neither over one connection nor over one per request."""
        unknown = self.states_and_totals("no", {})
        for headers in ({}, {"Connection": "close"}):
            self.assertEqual(self.states_and_totals("yes", headers), unknown)

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
