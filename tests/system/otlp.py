"""Makes OTLP requests for tests, in protobuf and in JSON, without a protobuf library.

Only what the tests need: log records with flat attributes, and values nested to any depth.
"""
import json
import time

LOGS, TRACES, METRICS = "/v1/logs", "/v1/traces", "/v1/metrics"
SIGNALS = (LOGS, TRACES, METRICS)


# --- protobuf ---

def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    """A length-delimited field: text, bytes or a message."""
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def fixed64(number, n):
    return varint(number << 3 | 1) + n.to_bytes(8, "little")


def any_value(value):
    if isinstance(value, bool):
        return b"\x10" + varint(int(value))
    if isinstance(value, int):
        return b"\x18" + varint(value)
    return field(1, value)


def attributes(number, values):
    return b"".join(field(number, field(1, k) + field(2, any_value(v))) for k, v in values.items())


# --- requests ---

def logs(resource, records, scope=""):
    """An ExportLogsServiceRequest. Records are (time in ns, attributes)."""
    body = b"".join(field(2, fixed64(1, t) + fixed64(11, t) + attributes(6, attrs)) for t, attrs in records)
    return field(1, field(1, attributes(1, resource)) + field(2, field(1, field(1, scope)) + body))


def json_value(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value}


def json_attributes(values):
    return [{"key": k, "value": json_value(v)} for k, v in values.items()]


def logs_json(resource, records, scope=""):
    """The same request as JSON text."""
    body = [{"timeUnixNano": str(t), "observedTimeUnixNano": str(t), "attributes": json_attributes(attrs)} for t, attrs in records]
    return json.dumps({"resourceLogs": [{"resource": {"attributes": json_attributes(resource)},
                                         "scopeLogs": [{"scope": {"name": scope}, "logRecords": body}]}]}).encode()


# --- what Claude Code says ---

CLAUDE = {"service.name": "claude-code", "service.version": "2.1.330"}
CLAUDE_SCOPE = "com.anthropic.claude_code.events"


def claude_prompt(session, at=None, **more):
    return at or time.time_ns(), {"session.id": session, "event.name": "user_prompt", "prompt.id": "p-1", "prompt_length": "12", **more}


def claude_request(session, at=None, **more):
    """100 input tokens (10 of them from the cache, 20 written to it) and 7 of output."""
    return at or time.time_ns(), {
        "session.id": session, "event.name": "api_request", "prompt.id": "p-1", "model": "claude-opus-5-5", "input_tokens": 70,
        "cache_read_tokens": 10, "cache_creation_tokens": 20, "output_tokens": 7, "duration_ms": 300, "cost_usd": "0.001",
        "request_id": "req_1", **more}


def claude(*records, encode=logs):
    """A request of Claude Code's that holds these records."""
    return encode(CLAUDE, records, CLAUDE_SCOPE)


# --- nested values ---

# For each signal: the fields from the request down to a KeyValue's value.
PB_WAY = {
    LOGS: (1, 2, 2, 5),  # resource_logs, scope_logs, log_records, body
    TRACES: (1, 2, 2, 9, 2),  # resource_spans, scope_spans, spans, attributes, value
    METRICS: (1, 1, 1, 2),  # resource_metrics, resource, attributes, value
}
JSON_WAY = {
    LOGS: ('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":', "}]}]}]}"),
    TRACES: ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":', "}]}]}]}]}"),
    METRICS: ('{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":', "}]}}]}"),
}


def nested(signal, levels):
    """A request whose value is an array of an array of … of one number."""
    value = b"\x18\x01"
    prefixes, length = [], len(value)
    for number in (1, 5) * levels:  # ArrayValue.values, AnyValue.array_value
        prefix = varint(number << 3 | 2) + varint(length)
        prefixes.append(prefix)
        length += len(prefix)
    body = b"".join(reversed(prefixes)) + value
    for number in reversed(PB_WAY[signal]):
        body = field(number, body)
    return body


def nested_json(signal, levels):
    begin, end = JSON_WAY[signal]
    return (begin + '{"arrayValue":{"values":[' * levels + '{"intValue":"1"}' + "]}}" * levels + end).encode()


def nested_kvlist_json(signal, levels):
    begin, end = JSON_WAY[signal]
    return (begin + '{"kvlistValue":{"values":[{"key":"a","value":' * levels + '{"intValue":"1"}' + "}]}}" * levels + end).encode()


# --- load ---

class Load:
    """Many requests that differ in session, request id and time, made by patching one: cheap enough to send thousands a second."""

    def __init__(self, records=1, sessions=100):
        self.sessions = [f"load-{n:08}" for n in range(sessions)]
        self.count = 0  # requests made so far
        self.records = records
        self._time = 0x1122334455667788
        self._body = bytearray(claude(*[claude_request("load-SSSSSSSS", at=self._time + i, request_id=f"req_RRRR{i:08}") for i in range(records)]))
        self._session_at = self._places(b"load-SSSSSSSS")
        self._time_at = [self._places((self._time + i).to_bytes(8, "little")) for i in range(records)]
        self._request_at = [self._body.index(f"req_RRRR{i:08}".encode()) for i in range(records)]

    def _places(self, mark):
        found, at = [], self._body.find(mark)
        while at >= 0:
            found.append(at)
            at = self._body.find(mark, at + 1)
        return found

    def next(self):
        """One more request: (session id, body). Sessions take turns."""
        session, now, body = self.sessions[self.count % len(self.sessions)], time.time_ns(), self._body
        for at in self._session_at:
            body[at:at + 13] = session.encode()
        for i in range(self.records):
            stamp = (now + i).to_bytes(8, "little")
            for at in self._time_at[i]:
                body[at:at + 8] = stamp
            at = self._request_at[i]
            body[at:at + 16] = b"req_%012d" % (self.count * self.records + i)
        self.count += 1
        return session, bytes(body)
