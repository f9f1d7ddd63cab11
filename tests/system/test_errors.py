#!/usr/bin/env python3
"""What fails is told alike for every CLI: by events, by status and by /metrics, with its class, and without anybody's keys."""
import collections
import re
import time
import unittest

import otlp
from harness import Broker, recording, recordings

Failure = collections.namedtuple("Failure", "type status attempt attempts final retried message")


def failure(type, status=0, attempt=0, attempts=0, final=False, retried=False, message=""):
    return Failure(type, status, attempt, attempts, final, retried, message)


REFUSED = failure("auth", 401, retried=True, message="http 401")
LIMITED = failure("rate_limit", 429, message="http 429")
IDLE = "idle timeout waiting for SSE"


def broken(attempt):
    return failure("server", 500, attempt, retried=True, message="http 500")


# Recording: its failures, in order, and whether the session's last turn has failed.
RECORDED = {
    "claude/auth-error": ([failure("auth", 401, 1, 1, final=True, message="invalid x-api-key")], True),
    "claude/overloaded": ([failure("server", 0, 3, 3, final=True, message="Repeated 529 Overloaded errors")], True),
    "claude/rate-limit-fatal": ([failure("rate_limit", 429, 11, 11, final=True, message="This request would exceed your organization's rate limit")],
                                True),
    "claude/server-error": ([failure("server", 500, 4, 4, final=True, message="Internal server error")], True),
    "claude/timeout": ([failure("timeout", 0, 3, 3, final=True, message="Request timed out.")], True),
    "codex/auth-error": ([REFUSED] * 5, True),
    "codex/interactive-usage-limit": ([LIMITED], True),
    "codex/rate-limit": ([LIMITED] * 2, False),
    "codex/rate-limit-fatal": ([LIMITED] * 5, True),
    "codex/server-error": ([broken(0), broken(1), broken(2)] * 2, True),
    "codex/timeout": ([failure("timeout", message=IDLE),
                       failure("timeout", retried=True, message="stream disconnected before completion: " + IDLE)] * 2, True),
    "gemini/auth-error": ([failure("auth", 401, final=True, message="Request had invalid authentication credentials.")], True),
    "gemini/rate-limit": ([failure("rate_limit", 429, message="lorem ipsum"),
                           failure("rate_limit", 429, message="Resource has been exhausted (e.g. check quota).")], False),
    "gemini/rate-limit-fatal": ([failure("rate_limit", 429, message="lorem ipsum")], True),
    "gemini/server-error": ([failure("server", 503, retried=True, message="The model is overloaded."),
                             failure("server", 500, retried=True, message="An internal error has occurred.")], False),
    "gemini/timeout": ([failure("network", retried=True, message="exception TypeError: fetch failed sending request")], False),
    "qwen/auth-error": ([failure("auth", 401, final=True, message="401 Incorrect API key provided.")], True),
}


def raw(text, **members):
    """The JSON that Gemini takes for a message."""
    more = "".join(f',"{k}":{v}' for k, v in members.items())
    return f'{{"error":{{"message":"{text}"{more}}}}}'


CLAUDE, CODEX, GEMINI, QWEN = ("claude-code", "claude_code.", "session.id"), ("codex_cli_rs", "codex.", "conversation.id"), \
    ("gemini-cli", "gemini_cli.", "session.id"), ("qwen-code", "qwen-code.", "session.id")

# What the CLIs send in cases without a recording: who, the event, what is in it, what becomes of it, and whether it is a request.
TOLD = [
    (CLAUDE, "api_error", {"error": "Your credit balance is too low", "status_code": 400, "attempt": 1},
     failure("client", 400, 1, 1, final=True, message="Your credit balance is too low"), True),
    (CLAUDE, "api_error", {"error": "Connection error.", "attempt": 3}, failure("network", 0, 3, 3, final=True, message="Connection error."), True),
    (CLAUDE, "api_retries_exhausted", {"error": "Connection error.", "total_attempts": 3},
     failure("network", 0, 0, 3, final=True, message="Connection error."), False),
    (CODEX, "api_request", {"error.message": "error sending request", "attempt": 4},
     failure("network", 0, 4, retried=True, message="error sending request"), True),
    (CODEX, "api_request", {"error.message": "http 400", "http.response.status_code": 400}, failure("client", 400, final=True, message="http 400"),
     True),
    (CODEX, "sse_event", {"event.kind": "response.failed", "error.message":
                          '{"type":"response.failed","response":{"id":"resp_500","error":{"code":"rate_limit_exceeded","message":"Slow down."}}}'},
     failure("rate_limit", message="Slow down."), False),
    (CODEX, "sse_event", {"event.kind": "response.completed", "error.message": "exceeded retry limit, last status: 429 Too Many Requests"},
     failure("rate_limit", final=True, message="exceeded retry limit"), False),
    (CODEX, "sse_event", {"error.message": "stream disconnected before completion: WebSocket protocol error: Connection reset"},
     failure("network", retried=True, message="stream disconnected"), False),
    (CODEX, "websocket_connect", {"success": "false", "http.response.status_code": 404, "error.message": "http 404"},
     failure("client", 404, retried=True, message="http 404"), False),
    (GEMINI, "api_error", {"error": raw("x", status='"UNAUTHENTICATED"')}, failure("auth", retried=True, message="x"), True),
    (GEMINI, "api_error", {"error": raw("x", code=429, status='"RESOURCE_EXHAUSTED"')}, failure("rate_limit", retried=True, message="x"), True),
    (GEMINI, "api_error", {"error": raw("x", status='"INVALID_ARGUMENT"'), "status_code": 400},
     failure("client", 400, final=True, message="x"), True),
    (GEMINI, "api_error", {"error": raw("x", status='"DEADLINE_EXCEEDED"'), "status_code": 504},
     failure("timeout", 504, retried=True, message="x"), True),
    (GEMINI, "chat.content_retry", {"error_type": "NO_RESPONSE_TEXT", "attempt_number": 1},
     failure("unknown", 0, 1, retried=True, message="NO_RESPONSE_TEXT"), False),
    (GEMINI, "chat.content_retry_failure", {"final_error_type": "NO_RESPONSE_TEXT", "total_attempts": 4},
     failure("unknown", 0, 0, 4, final=True, message="NO_RESPONSE_TEXT"), False),
    (QWEN, "api_error", {"error_type": "RateLimitError", "error_message": "429 Slow down", "status_code": 429},
     failure("rate_limit", 429, message="429 Slow down"), True),
    (QWEN, "api_retry", {"error_type": "RateLimitError", "status_code": 429, "attempt_number": 2},
     failure("rate_limit", 429, 2, retried=True, message="RateLimitError"), False),
    (QWEN, "api_error", {"error_type": "APIConnectionTimeoutError", "error_message": "x"}, failure("timeout", message="x"), True),
    (QWEN, "api_error", {"error_type": "APIConnectionError", "error_message": "x"}, failure("network", message="x"), True),
    (QWEN, "api_error", {"error_type": "APIError", "error_message": "the author could not generate req_500"},
     failure("unknown", message="the author"), True),
]

SECRET = "CANARY0123456789"
LEAKS = [f"Incorrect API key provided: sk-{SECRET}.", f"Authorization: Bearer {SECRET}", f"x-api-key: {SECRET}",
         f"https://me:{SECRET}@proxy:1/ failed", raw(f"key=AIza{SECRET}"),
         f"API key: {SECRET[:6]}******{SECRET[6:]}"]


def record(cli, event, attributes, session, t):
    service, prefix, id_attribute = cli
    return otlp.logs({"service.name": service}, [(t, {"event.name": prefix + event, id_attribute: session, **attributes})])


def told(event):
    d = event["details"]
    return Failure(d["error_type"], d["status"], d["attempt"], d["attempts"], d["final"], d["retried"], d["error_message"])


def counted(broker):
    """The errors in /metrics by (provider, class), without zeros."""
    page = broker.get("/metrics").body.decode()
    found = re.findall(r'^agentbus_errors_total\{provider="([^"]+)",type="([^"]+)"\} (\d+)$', page, re.M)
    return {(provider, kind): int(n) for provider, kind, n in found if n != "0"}


def failures(broker, watch):
    """All api_error events so far: those before an event that is made for that."""
    broker.post(otlp.LOGS, record(CLAUDE, "user_prompt", {}, "the-end", time.time_ns()))
    watch.wait_for(lambda e: e["kind"] == "prompt" and e["session"]["id"] == "the-end")
    return [e for e in watch.events if e["kind"] == "api_error"]


class Errors(unittest.TestCase):
    def assert_told(self, got, want):
        self.assertEqual(got._replace(message=""), want._replace(message=""))
        self.assertTrue(got.message.startswith(want.message), got.message)

    def check_recording(self, name):
        wanted, failed = RECORDED[name]
        replayed = recording(name)
        with Broker() as broker:
            watch = broker.watch()
            broker.post_recording(replayed)
            events = failures(broker, watch)
            self.assertEqual(len(events), len(wanted))
            for event, want in zip(events, wanted):
                self.assert_told(told(event), want)
            session = broker.sessions()[events[-1]["session"]["id"]]
            by_type = collections.Counter(w.type for w in wanted) if session["api_errors"] else {}
            self.assertEqual(session["errors_by_type"], by_type)
            self.assertEqual(sum(by_type.values()), sum(s["api_errors"] for s in replayed.expected.values()))
            self.assertEqual((session["error_type"], session["error_status"], session["failed"]), (wanted[-1].type, wanted[-1].status, failed))
            self.assertTrue(session["error_message"].startswith(wanted[-1].message))
            self.assertEqual(counted(broker), {(session["provider"], kind): n for kind, n in by_type.items()})

    def test_every_failing_recording_is_known(self):
        failing = {r.name for r in recordings() if any(s["api_errors"] for s in r.expected.values())}
        self.assertLessEqual(failing, set(RECORDED))

    def test_what_has_no_recording(self):
        with Broker() as broker:
            watch, now = broker.watch(), time.time_ns()
            for i, (cli, event, attributes, _, _) in enumerate(TOLD):
                self.assertEqual(broker.post(otlp.LOGS, record(cli, event, attributes, f"s{i}", now)).status, 200)
            events = {e["session"]["id"]: e for e in failures(broker, watch)}
            sessions, requests = broker.sessions(), collections.Counter()
            for i, (_, event, attributes, want, is_request) in enumerate(TOLD):
                with self.subTest(event=event, **attributes):
                    session = sessions[f"s{i}"]
                    self.assert_told(told(events[f"s{i}"]), want)
                    self.assertEqual((session["error_type"], session["error_status"]), (want.type, want.status))
                    self.assertEqual(session["errors_by_type"], {want.type: 1} if is_request else {})
                    requests[session["provider"], want.type] += is_request
            self.assertEqual(counted(broker), +requests)

    def test_giving_up_is_told_once(self):
        with Broker() as broker:
            watch, now = broker.watch(), time.time_ns()
            facts = {"error": "Overloaded", "status_code": 529}
            broker.post(otlp.LOGS, record(CLAUDE, "api_error", {**facts, "attempt": 3}, "s", now))
            broker.post(otlp.LOGS, record(CLAUDE, "api_retries_exhausted", {**facts, "total_attempts": 3}, "s", now + 1000000))
            self.assertEqual(len(failures(broker, watch)), 1)
            self.assertEqual(broker.sessions()["s"]["errors_by_type"], {"server": 1})

    def test_counts_survive_a_restart(self):
        with Broker() as broker:
            for i, status in enumerate((429, 429, 401)):
                broker.post(otlp.LOGS, record(QWEN, "api_error", {"status_code": status}, "s", time.time_ns() + i))
            before = broker.sessions()["s"]
            self.assertEqual(before["errors_by_type"], {"auth": 1, "rate_limit": 2})
            broker.stop()
            broker.start_daemon()
            after = broker.sessions()["s"]
            self.assertEqual({k: after[k] for k in before if "error" in k}, {k: before[k] for k in before if "error" in k})

    def test_no_key_is_told_or_kept(self):
        with Broker() as broker:
            watch, now = broker.watch(), time.time_ns()
            for i, message in enumerate(LEAKS):
                broker.post(otlp.LOGS, record(GEMINI, "api_error", {"error": message}, f"s{i}", now))
            events = failures(broker, watch)
            self.assertEqual(len(events), len(LEAKS))
            for event in events:
                self.assertIn("***", event["details"]["error_message"])
            shown = repr(watch.events) + broker.run("agentbus", "status", "--json", "--all").stdout + repr(broker.get("/metrics"))
            self.assertNotIn(SECRET[:8], shown)
            broker.stop()
            for path in broker.dir.rglob("*"):
                if path.is_file():
                    self.assertNotIn(SECRET[:8].encode(), path.read_bytes(), path)

    def test_a_message_is_one_short_line(self):
        with Broker() as broker:
            watch = broker.watch()
            broker.post(otlp.LOGS, record(QWEN, "api_error", {"error_message": "one\n\ttwo \x1b[31m" + "x" * 300}, "s", time.time_ns()))
            message = failures(broker, watch)[0]["details"]["error_message"]
            self.assertTrue(message.startswith("one two [31mxxx"), message)
            self.assertEqual(len(message), 199)


def add_test(name):
    setattr(Errors, "test_" + re.sub(r"\W", "_", name), lambda self: self.check_recording(name))


for each in RECORDED:
    add_test(each)

if __name__ == "__main__":
    unittest.main()
