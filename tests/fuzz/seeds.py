#!/usr/bin/env python3
"""Writes inputs for the fuzzers to begin with, out of recorded requests: tests/fuzz/seeds.py CORPUS-DIRECTORY TARGET…

A seed's name is a hash of what it holds, so a second run adds nothing. Targets without recordings (access, claude_session, error_text,
hook, outline, query, lib_message) begin with their regression inputs alone.
"""
import gzip
import hashlib
import json
import re
import struct
import sys
import zlib
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
RECORDINGS = (REPO / "tests" / "recordings", REPO.parent / "shared" / "captures")

# Bytes of an input, for seeds and for what the fuzzers make of them: large ones are slow, and show nothing that small ones do not.
DEFAULT_MAX_LEN = 4096
MAX_LEN = {"access": 512, "query": 256, "otlp_pb": 8192, "otlp_json": 8192, "content": 8192, "config": 16384, "grpc": 8192,
           "outline": 768, "forward_answer": 1024, "hook": 1024, "claude_session": 2048}
SEEDS_MAX = 96  # of a target


def max_len(target):
    return MAX_LEN.get(target, DEFAULT_MAX_LEN)


# --- recordings ---

class Body:
    def __init__(self, path):
        self.sent = path.read_bytes()
        self.plain = gzip.decompress(self.sent) if self.sent[:2] == b"\x1f\x8b" else self.sent
        self.json = path.suffix == ".json"
        self.signal = re.search(r"-(logs|traces|metrics)\.", path.name)[1]
        self.kind = (path.parents[1].name, self.signal)  # of which CLI


def bodies():
    files = (p for top in RECORDINGS for p in sorted(top.glob("*/*/[0-9]*-*.*")) if p.suffix in (".pb", ".json"))
    return [Body(p) for p in files if p.name != "expected.json"]


def spread(found, size_max):
    """The smallest ones of each CLI and signal in turn, so that no kind takes all of the room."""
    kinds = {}
    for body, data in sorted(found, key=lambda pair: len(pair[1])):
        if 0 < len(data) <= size_max:
            kinds.setdefault(body.kind, []).append(data)
    rounds = (data for i in range(SEEDS_MAX) for of_kind in kinds.values() for data in of_kind[i:i + 1])
    return list(dict.fromkeys(rounds))[:SEEDS_MAX]


# --- HTTP/2 ---

SERVICES = {"logs": "opentelemetry.proto.collector.logs.v1.LogsService", "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
            "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService"}
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
FRAME_MAX = 16384


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def hpack(fields):
    """Literal fields without indexing and without Huffman's code: all of them are shorter than 127 bytes."""
    return b"".join(b"\0" + b"".join(bytes([len(s)]) + s.encode() for s in field) for field in fields)


def grpc_call(stream, body, compressed):
    fields = [(":method", "POST"), (":scheme", "http"), (":path", f"/{SERVICES[body.signal]}/Export"), (":authority", "localhost:4317"),
              ("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "10S")]
    if compressed:
        fields += [("grpc-encoding", "gzip")]
    message = gzip.compress(body.plain, mtime=0) if compressed else body.plain
    data = struct.pack(">BI", compressed, len(message)) + message
    pieces = [data[i:i + FRAME_MAX] for i in range(0, len(data), FRAME_MAX)]
    return frame(HEADERS, END_HEADERS, stream, hpack(fields)) + b"".join(
        frame(DATA, END_STREAM if i == len(pieces) - 1 else 0, stream, piece) for i, piece in enumerate(pieces))


def grpc_conversation(calls):
    """What a client says after the preface, behind a byte of options for the target: 0, none of them."""
    said = frame(SETTINGS, 0, 0, struct.pack(">HIHI", 2, 0, 4, 1 << 20)) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 20))
    said += frame(SETTINGS, ACK, 0)
    for i, (body, compressed) in enumerate(calls):
        said += grpc_call(2 * i + 1, body, compressed)
    return b"\0" + said + frame(PING, 0, 0, b"agentbus")


# --- what each target begins with ---

def otlp_pb(recorded, size):
    return spread([(b, b.plain) for b in recorded if not b.json], size)


def otlp_json(recorded, size):
    return spread([(b, b.plain) for b in recorded if b.json], size)


def content(recorded, size):
    return otlp_pb(recorded, size) + otlp_json(recorded, size)


def inflate(recorded, size):
    packed = [(b, pack(b.plain)) for b in recorded for pack in (lambda s: gzip.compress(s, mtime=0), zlib.compress)]
    return spread([(b, b.sent) for b in recorded if b.sent != b.plain] + packed, size)


def config(_recorded, _size):
    text = (REPO / "contrib" / "agentbus.conf").read_text()
    return [text.encode(), re.sub(r"^[#;] ?(?=[\w-]+ *=)", "", text, flags=re.M).encode()]


def price_file(_recorded, size):
    """The prices that are shipped, as many at a time as fit."""
    models = json.loads((REPO / "contrib" / "pricing" / "models.json").read_text())["models"]
    texts = [json.dumps({"models": models[i:i + 4]}).encode() for i in range(0, len(models), 4)]
    return [t for t in texts if len(t) <= size]


def litellm(_recorded, _size):
    """The prices that are shipped, as LiteLLM writes such."""
    models = json.loads((REPO / "contrib" / "pricing" / "models.json").read_text())["models"]
    names = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost",
             "cache_write_5m": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr"}
    listed = [{m["name"]: {"mode": "chat", "litellm_provider": m["provider"], **{names[k]: float(v) / 1e6 for k, v in m["rates"].items()}}}
              for m in models]
    return [json.dumps({k: v for one in listed[i:i + 3] for k, v in one.items()}).encode() for i in range(0, len(listed), 3)]


def grpc(recorded, size):
    calls = [(b, compressed) for b in recorded if not b.json for compressed in (False, True)]
    small = sorted(calls, key=lambda call: len(call[0].plain))[:8]
    return spread([(b, grpc_conversation([(b, compressed)])) for b, compressed in calls], size) + [grpc_conversation(small)]


def forward_answer(_recorded, _size):
    """Answers of backends: Retry-After, then the body."""
    waits = (b"", b"7", b"Sun, 06 Nov 2033 08:49:37 GMT")
    partial = b"\x0a\x0c\x08\xac\x02\x12\x07too old"
    bodies_of = (b"", partial, b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}',
                 b'{"partial_success":{"rejected_data_points":5}}', b'{"code":3,"message":"bad"}', b"<html>no</html>")
    return [wait + b"\n" + body for wait in waits for body in bodies_of]


MAKERS = {"otlp_pb": otlp_pb, "otlp_json": otlp_json, "inflate": inflate, "config": config, "grpc": grpc, "price_file": price_file,
          "forward_answer": forward_answer, "content": content, "litellm": litellm}


def plant(corpus, targets):
    """Returns how many seeds each target has."""
    recorded = bodies()
    count = {}
    for target in targets:
        directory = corpus / target
        directory.mkdir(parents=True, exist_ok=True)
        seeds = [s for s in MAKERS.get(target, lambda *_: [])(recorded, max_len(target)) if len(s) <= max_len(target)]
        for seed in seeds:
            (directory / f"seed-{hashlib.sha1(seed).hexdigest()[:16]}").write_bytes(seed)
        count[target] = len(seeds)
    return count


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    print(json.dumps(plant(Path(sys.argv[1]), sys.argv[2:])))
