"""What a backend got of a recording that was sent in some encoding: spans, records and points, read by a decoder of our own."""
import collections

import h2
import otlp_read
import otlp_write
from backend import Backend
from followers import wait
from harness import PATIENCE, PB, Broker

JSON = {"Content-Type": "application/json"}
SIGNALS = ("logs", "traces", "metrics")
SERVICE = {"logs": h2.LOGS, "traces": h2.TRACES, "metrics": h2.METRICS}
ERROR_TYPES = {"auth", "rate_limit", "timeout", "server", "client", "network", "unknown"}


def requests_of(recording, change=None):
    """(signal, request as a dict) of each body, decoded; `change` may alter them."""
    for r in recording.requests:
        signal = r.path.rsplit("/", 1)[-1]
        request = otlp_read.decode(signal, recording.plain(r), r.content_type == "application/json")
        yield signal, change(signal, request) if change else request


def send_protobuf(broker, signal, request):
    status = broker.post(f"/v1/{signal}", otlp_write.encode(signal, request), PB).status
    assert status == 200, status


def send_json(broker, signal, request):
    status = broker.post(f"/v1/{signal}", otlp_write.encode(signal, request, True), JSON).status
    assert status == 200, status


def send_grpc(broker, signal, request):
    with h2.Connection(broker.port) as c:
        answer = c.export(SERVICE[signal], otlp_write.encode(signal, request), gzip=True)
    assert answer.grpc_status == 0, answer


ENCODINGS = {"protobuf": send_protobuf, "json": send_json, "grpc": send_grpc}


class Got:
    """Everything that a backend has taken so far."""

    def __init__(self, backend):
        requests = {s: [otlp_read.decode(s, r.body) for r in backend.of(f"/v1/{s}")] for s in SIGNALS}
        self.spans = [(res, x) for r in requests["traces"] for res, _, x in otlp_read.spans(r)]
        self.records = [(res, x) for r in requests["logs"] for res, _, x in otlp_read.log_records(r)]
        self.points = [(m["name"], p) for r in requests["metrics"] for _, _, m in otlp_read.metrics(r) for p in otlp_read.points(m)]

    def of_kind(self, kind):
        return [x for _, x in self.spans if x["attributes"].get("openinference.span.kind") == kind]

    def orphans(self):
        return orphans([x for _, x in self.spans])


def orphans(spans):
    """Ids of parents that are named and not there."""
    there = {(x["trace_id"], x["span_id"]) for x in spans}
    return {(x["trace_id"], x["parent_span_id"]) for x in spans if x.get("parent_span_id")} - there


def sums(spans):
    """By session: answers, tokens and cost of LLM spans that did not fail."""
    total = collections.defaultdict(collections.Counter)
    for x in spans:
        a = x["attributes"]
        if "gen_ai.usage.input_tokens" in a:
            total[a["session.id"]].update({
                "requests": 1, "input_tokens": a["gen_ai.usage.input_tokens"], "output_tokens": a["gen_ai.usage.output_tokens"],
                "cache_read_tokens": a["gen_ai.usage.cache_read.input_tokens"],
                "cache_write_tokens": a["gen_ai.usage.cache_write.input_tokens"],
                "reasoning_tokens": a["gen_ai.usage.reasoning.output_tokens"], "cost": round(a["gen_ai.usage.cost_usd"] * 1e12)})
    return total


def play(recording, send=send_protobuf, until=None, change=None, args=()):
    """
    Sends a recording to a broker that passes on to a backend, and waits until that has all records, all that was held, and
    whatever `until` wants. Gives what it got, the sessions as status tells them, and all bytes that left the broker.
    """
    with Backend() as backend, Broker("--core-dumps", "--forward", backend.url, *args) as broker:
        count = 0
        for signal, request in requests_of(recording, change):
            send(broker, signal, request)
            count += len(list(otlp_read.log_records(request))) if signal == "logs" else 0
        wait(lambda: len(Got(backend).records) >= count and (not until or until(Got(backend))), PATIENCE,
             lambda: f"{recording.name}: {describe(Got(backend))}, not {count} records")
        return Got(backend), broker.sessions(), b"".join(r.body for r in backend.requests)


def describe(got):
    kinds = collections.Counter(x["attributes"].get("openinference.span.kind") for _, x in got.spans)
    return f"{len(got.records)} records, {dict(kinds)} spans"


if __name__ == "__main__":
    raise SystemExit("passed_on.py is what the tests of enrichment share; run `make check-system`")
