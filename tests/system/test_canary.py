#!/usr/bin/env python3
"""Nobody's words leave the broker: secrets are planted wherever CLIs put content, in every encoding, and looked for everywhere."""
import itertools
import unittest

import otlp_read
from backend import Backend
from followers import wait
from harness import PATIENCE, Broker
from passed_on import ENCODINGS, requests_of
from test_enrich import DOING, first_of

MARK = "canary"

# Where the CLIs, other emitters of the GenAI conventions, and OpenInference put what people wrote and models answered.
EVERYWHERE = (
    "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.prompt", "gen_ai.completion", "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content", "input.value", "output.value", "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.content", "user.email")
BY_PROVIDER = {
    "claude": {"logs": ("prompt", "prompt_text", "response", "tool_parameters", "tool_input"),
               "traces": ("user_prompt", "full_command", "new_context", "output")},
    "codex": {"logs": ("prompt", "arguments", "output", "content", "response"), "traces": ("arguments", "output")},
    "gemini": {"logs": ("prompt", "request_text", "response_text", "function_args", "hook_input", "hook_output", "stdout", "stderr",
                        "reasoning"), "traces": ()},
    "qwen": {"logs": ("prompt", "request_text", "response_text", "function_args", "result", "execution_summary"),
             "traces": ("new_context",)},
}
RESOURCE = ("process.command_args", "process.command_line")
POINTS = ("routing.reasoning", "gen_ai.prompt", "user.email")


class Planter:
    """Changes requests: a secret of its own at each place."""

    def __init__(self, provider):
        self.keys = BY_PROVIDER[provider]
        self.count = itertools.count()
        self.planted = 0

    def secret(self, key):
        self.planted += 1
        return f"{MARK}-{next(self.count):06}-{key}"

    def plant(self, attributes, keys):
        for key in keys:
            attributes[key] = self.secret(key)

    def change(self, signal, request):
        for parts in request.values():
            for part in parts:
                resource = part.setdefault("resource", {}).setdefault("attributes", {})
                resource["process.command_args"] = ["cli", "-p", self.secret("args")]
                self.plant(resource, ("process.command_line",))
        if signal == "logs":
            for _, _, record in otlp_read.log_records(request):
                self.plant(record.setdefault("attributes", {}), (*EVERYWHERE, *self.keys["logs"]))
        if signal == "traces":
            for _, _, span in otlp_read.spans(request):
                keys = (*EVERYWHERE, *self.keys["traces"])
                self.plant(span.setdefault("attributes", {}), keys)
                span.setdefault("events", []).append({"time_unix_nano": span["end_time_unix_nano"], "name": "tool.output",
                                                      "attributes": {}})
                self.plant(span["events"][-1]["attributes"], (*keys, "bash_command", "output", "content", "diff"))
        if signal == "metrics":
            for _, _, metric in otlp_read.metrics(request):
                for point in otlp_read.points(metric):
                    self.plant(point.setdefault("attributes", {}), POINTS)
                    point["exemplars"] = [{"time_unix_nano": 1, "as_double": 1.0, "filtered_attributes": {}}]
                    self.plant(point["exemplars"][0]["filtered_attributes"], POINTS)
        return request


class Canary(unittest.TestCase):
    def play(self, provider, encoding, *args):
        """Everything that a broker has told anybody of a recording with secrets, by where."""
        planter = Planter(provider)
        with Backend() as backend, Broker("--core-dumps", "--forward", backend.url, *args) as broker:
            watch = broker.watch()
            last = 0
            for signal, request in requests_of(first_of(DOING[provider]), planter.change):
                ENCODINGS[encoding](broker, signal, request)
                last += 1
            wait(lambda: self.settled(broker), PATIENCE, lambda: "something is still to be passed on")
            page = broker.get("/metrics").body
            told = {
                "backend": b"".join(r.body for r in backend.requests),
                "events": "\n".join(map(str, watch.events)).encode(),
                "status": broker.run("agentbus", "status", "--json", "--all").stdout.encode(),
                "metrics": page,
                "messages": broker.daemon.stderr().encode(),
                "database": b"".join(p.read_bytes() for p in sorted((broker.dir / "state" / "agentbus").glob("*")) if p.is_file()),
            }
        self.assertGreater(planter.planted, 100)
        self.assertGreater(len(told["backend"]), 10000)
        return told

    def settled(self, broker):
        """Nothing waits, neither for its logs nor in the queue."""
        page = broker.get("/metrics").body.decode()
        return "agentbus_forward_held_bytes 0\n" in page and not [
            line for line in page.splitlines() if line.startswith("agentbus_forward_queued_bytes{") and not line.endswith(" 0")]

    def check(self, provider, encoding):
        for where, data in self.play(provider, encoding).items():
            at = data.find(MARK.encode())
            self.assertEqual(at, -1, f"{where}: {data[max(at - 60, 0):at + 60]!r}")

    def test_content_kept(self):
        """Where the person wants it, it does leave: so the other tests do look where it would be."""
        told = self.play("gemini", "protobuf", "--content", "keep")
        self.assertGreater(told["backend"].count(MARK.encode()), 100)
        self.assertEqual(told["events"].count(MARK.encode()), 0)


for each_provider in DOING:
    for each_encoding in ENCODINGS:
        setattr(Canary, f"test_{each_provider}_{each_encoding}",
                lambda self, p=each_provider, e=each_encoding: self.check(p, e))


if __name__ == "__main__":
    unittest.main()
