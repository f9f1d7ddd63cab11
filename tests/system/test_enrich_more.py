#!/usr/bin/env python3
"""What is passed on of telemetry that nobody recorded, made by hand after what is known of it."""
import time
import unittest

import otlp
import otlp_write
from backend import Backend
from followers import wait
from harness import PATIENCE, Broker
from passed_on import Got, send_json, send_protobuf

MS = 1_000_000
NOT_UTF8 = "a\udcff\udce2\udc82z"  # as otlp_write takes bytes that are no text
MENDED = "a\ufffd\ufffd\ufffdz"
TRACE = "ab" * 16


def record(name, at, **more):
    attributes = {"event.name": name, **{k.replace("__", "."): v for k, v in more.items()}}
    return {"observed_time_unix_nano": at, "attributes": attributes}


def span(name, start, end, number, **more):
    return {"trace_id": TRACE, "span_id": f"{number:016x}", "name": name, "kind": 1, "start_time_unix_nano": start, "end_time_unix_nano": end,
            "attributes": {k.replace("__", "."): v for k, v in more.items()}}


def logs(service, *records):
    return {"resource_logs": [{"resource": {"attributes": {"service.name": service}}, "scope_logs": [{"log_records": list(records)}]}]}


def traces(service, *spans):
    return {"resource_spans": [{"resource": {"attributes": {"service.name": service}}, "scope_spans": [{"spans": list(spans)}]}]}


class PassedOn(unittest.TestCase):
    def start(self, *args):
        backend = self.enterContext(Backend())
        self.at = time.time_ns() - 3_000 * MS
        return backend, self.enterContext(Broker("--core-dumps", "--forward", backend.url, *args))

    def wait_for(self, backend, records=0, spans=0):
        wait(lambda: len(Got(backend).records) >= records and len(Got(backend).spans) >= spans, PATIENCE,
             lambda: f"{len(Got(backend).records)} records, {len(Got(backend).spans)} spans")
        return Got(backend)


class Codex(PassedOn):
    def codex(self, name, after_ms, **more):
        return record(f"codex.{name}", self.at + after_ms * MS, conversation__id="c-1", model="gpt-5.5", **more)

    def answer(self, after_ms, tokens):
        return self.codex("sse_event", after_ms, event__kind="response.completed", input_token_count=str(tokens), output_token_count=str(tokens))

    def test_websocket_without_spans(self):
        """No API request begins an answer there: one of the socket does. The first one only warms up."""
        backend, broker = self.start()
        send_protobuf(broker, "logs", logs(
            "codex_exec", self.codex("websocket_request", 2, duration_ms="1", success="true"), self.answer(10, 0),
            self.codex("user_prompt", 20, prompt_length="21"), self.codex("websocket_request", 31, duration_ms="1", success="true"),
            self.answer(530, 100), self.codex("websocket_request", 601, duration_ms="1", success="true"),
            self.codex("sse_event", 900, event__kind="response.completed",
                       error__message="exceeded retry limit, last status: 429 Too Many Requests")))
        spans = sorted(((x["start_time_unix_nano"] - self.at) // MS, (x["end_time_unix_nano"] - self.at) // MS, x["attributes"].get("error.type"))
                       for _, x in self.wait_for(backend, spans=2).spans)
        self.assertEqual(spans, [(30, 530, None), (600, 900, "rate_limit")])

    def test_list_of_models_is_no_answer(self):
        backend, broker = self.start()
        models = record("codex.api_request", self.at, endpoint="/models", success=False, duration_ms="10", http__response__status_code=401)
        send_protobuf(broker, "logs", logs("codex-app-server", models, self.codex("user_prompt", 20, prompt_length="21"),
                                           self.codex("api_request", 40, duration_ms="10", http__response__status_code=200), self.answer(530, 100)))
        got = self.wait_for(backend, spans=1)
        self.assertEqual([(x["attributes"]["session.id"], x["attributes"]["gen_ai.usage.input_tokens"]) for _, x in got.spans], [("c-1", 100)])
        self.assertEqual(list(broker.sessions()), ["c-1"])


class Text(PassedOn):
    """Backends refuse a request for one text that is not UTF-8, or one id of a length that ids do not have."""

    def check(self, send):
        backend, broker = self.start("--hold-spans", "0")
        attributes = {"session.id": NOT_UTF8, NOT_UTF8: [NOT_UTF8, {NOT_UTF8: NOT_UTF8}], "": "no key", "tool_name": "Bash"}
        one = {**span("claude_code.tool" + NOT_UTF8, self.at, self.at + MS, 1), "attributes": attributes, "trace_id": "ab" * 3,
               "parent_span_id": "cd" * 16, "status": {"code": 2, "message": NOT_UTF8}}
        send(broker, "traces", traces("claude-code", one))
        call = record("api_request", self.at, session__id=NOT_UTF8, model=NOT_UTF8, input_tokens=10, output_tokens=1, request_id=NOT_UTF8)
        send(broker, "logs", logs("claude-code", {**call, "trace_id": "ab", "span_id": "cd"}))
        got = self.wait_for(backend, records=1, spans=2)  # the other was made of the call
        for request in backend.requests:
            self.assertNotIn(NOT_UTF8.encode("utf-8", "surrogateescape"), request.body)
        for _, x in got.spans + got.records:
            self.assertEqual(x["attributes"]["session.id"], MENDED)
            self.assertIn(len(x.get("trace_id", "")), (0, 32))
            self.assertIn(len(x.get("parent_span_id", "")), (0, 16))
        sent = got.spans[0][1]
        self.assertEqual((sent["name"], sent["attributes"][MENDED]), ("claude_code.tool" + MENDED, [MENDED, {MENDED: MENDED}]))

    def test_protobuf(self):
        self.check(send_protobuf)

    def test_json(self):
        def send(broker, signal, request):
            body = otlp_write.encode(signal, request, True).replace(b"\\udcff\\udce2\\udc82", b"\xff\xe2\x82")
            self.assertEqual(broker.post(f"/v1/{signal}", body, {"Content-Type": "application/json"}).status, 200)
        self.check(send)


class Content(PassedOn):
    def test_hooks_and_outputs_of_claude_code(self):
        backend, broker = self.start("--hold-spans", "0")
        at = self.at
        hook = {"session__id": "s", "hook_event": "PreToolUse", "hook_name": "PreToolUse:Bash", "hook_definitions": "canary-hook"}
        tool = span("claude_code.tool", at, at + MS, 1, session__id="s", tool_name="WebFetch", tool_use_id="t", full_command="canary-command")
        tool["events"] = [{"name": "tool.output", "time_unix_nano": at,
                           "attributes": {k: f"canary-{k}" for k in ("url", "path", "pattern", "output", "content")}}]
        for send in (send_protobuf, send_json):
            send(broker, "traces", traces("claude-code", tool, span("claude_code.hook", at, at + MS, 2, **hook)))
            send(broker, "logs", logs("claude-code", record("hook_execution_start", at, **hook)))
        self.wait_for(backend, records=2, spans=4)
        self.assertNotIn(b"canary", b"".join(r.body for r in backend.requests))


if __name__ == "__main__":
    unittest.main()
