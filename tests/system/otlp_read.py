"""Reads OTLP export requests, protobuf or JSON, into the same plain dicts: an independent decoder for tests.

Names are the proto's; ids are hex text, attributes a dict by key (of two with one key the last), values plain Python.
Fields that the tables do not know are kept under "?<number>".
"""
import json
import re
import struct

# Per message: field number -> (name, kind). A kind is a scalar's or a message's name; "*" before it: repeated.
KEY_VALUE = {1: ("key", "text"), 2: ("value", "AnyValue")}
NUMBER_POINT = {7: ("attributes", "*KeyValue"), 2: ("start_time_unix_nano", "fixed"), 3: ("time_unix_nano", "fixed"),
                4: ("as_double", "double"), 5: ("exemplars", "*Exemplar"), 6: ("as_int", "sfixed"), 8: ("flags", "int")}
HISTOGRAM_POINT = {9: ("attributes", "*KeyValue"), 2: ("start_time_unix_nano", "fixed"), 3: ("time_unix_nano", "fixed"),
                   4: ("count", "fixed"), 5: ("sum", "double"), 6: ("bucket_counts", "*fixed"), 7: ("explicit_bounds", "*double"),
                   8: ("exemplars", "*Exemplar"), 10: ("flags", "int"), 11: ("min", "double"), 12: ("max", "double")}
MESSAGES = {
    "AnyValue": {1: ("string_value", "text"), 2: ("bool_value", "bool"), 3: ("int_value", "sint"), 4: ("double_value", "double"),
                 5: ("array_value", "ArrayValue"), 6: ("kvlist_value", "KeyValueList"), 7: ("bytes_value", "bytes")},
    "ArrayValue": {1: ("values", "*AnyValue")},
    "KeyValueList": {1: ("values", "*KeyValue")},
    "KeyValue": KEY_VALUE,
    "Resource": {1: ("attributes", "*KeyValue"), 2: ("dropped_attributes_count", "int")},
    "Scope": {1: ("name", "text"), 2: ("version", "text"), 3: ("attributes", "*KeyValue"), 4: ("dropped_attributes_count", "int")},
    "logs": {1: ("resource_logs", "*ResourceLogs")},
    "ResourceLogs": {1: ("resource", "Resource"), 2: ("scope_logs", "*ScopeLogs"), 3: ("schema_url", "text")},
    "ScopeLogs": {1: ("scope", "Scope"), 2: ("log_records", "*LogRecord"), 3: ("schema_url", "text")},
    "LogRecord": {1: ("time_unix_nano", "fixed"), 2: ("severity_number", "int"), 3: ("severity_text", "text"), 5: ("body", "AnyValue"),
                  6: ("attributes", "*KeyValue"), 7: ("dropped_attributes_count", "int"), 8: ("flags", "fixed32"), 9: ("trace_id", "id"),
                  10: ("span_id", "id"), 11: ("observed_time_unix_nano", "fixed"), 12: ("event_name", "text")},
    "traces": {1: ("resource_spans", "*ResourceSpans")},
    "ResourceSpans": {1: ("resource", "Resource"), 2: ("scope_spans", "*ScopeSpans"), 3: ("schema_url", "text")},
    "ScopeSpans": {1: ("scope", "Scope"), 2: ("spans", "*Span"), 3: ("schema_url", "text")},
    "Span": {1: ("trace_id", "id"), 2: ("span_id", "id"), 3: ("trace_state", "text"), 4: ("parent_span_id", "id"), 5: ("name", "text"),
             6: ("kind", "int"), 7: ("start_time_unix_nano", "fixed"), 8: ("end_time_unix_nano", "fixed"), 9: ("attributes", "*KeyValue"),
             10: ("dropped_attributes_count", "int"), 11: ("events", "*SpanEvent"), 12: ("dropped_events_count", "int"),
             13: ("links", "*Link"), 14: ("dropped_links_count", "int"), 15: ("status", "Status"), 16: ("flags", "fixed32")},
    "SpanEvent": {1: ("time_unix_nano", "fixed"), 2: ("name", "text"), 3: ("attributes", "*KeyValue"), 4: ("dropped_attributes_count", "int")},
    "Link": {1: ("trace_id", "id"), 2: ("span_id", "id"), 3: ("trace_state", "text"), 4: ("attributes", "*KeyValue"),
             5: ("dropped_attributes_count", "int"), 6: ("flags", "fixed32")},
    "Status": {2: ("message", "text"), 3: ("code", "int")},
    "metrics": {1: ("resource_metrics", "*ResourceMetrics")},
    "ResourceMetrics": {1: ("resource", "Resource"), 2: ("scope_metrics", "*ScopeMetrics"), 3: ("schema_url", "text")},
    "ScopeMetrics": {1: ("scope", "Scope"), 2: ("metrics", "*Metric"), 3: ("schema_url", "text")},
    "Metric": {1: ("name", "text"), 2: ("description", "text"), 3: ("unit", "text"), 5: ("gauge", "Gauge"), 7: ("sum", "Sum"),
               9: ("histogram", "Histogram"), 10: ("exponential_histogram", "Histogram?"), 11: ("summary", "Histogram?"),
               12: ("metadata", "*KeyValue")},
    "Gauge": {1: ("data_points", "*NumberPoint")},
    "Sum": {1: ("data_points", "*NumberPoint"), 2: ("aggregation_temporality", "int"), 3: ("is_monotonic", "bool")},
    "Histogram": {1: ("data_points", "*HistogramPoint"), 2: ("aggregation_temporality", "int")},
    "Histogram?": {},
    "NumberPoint": NUMBER_POINT,
    "HistogramPoint": HISTOGRAM_POINT,
    "Exemplar": {7: ("filtered_attributes", "*KeyValue"), 2: ("time_unix_nano", "fixed"), 3: ("as_double", "double"), 4: ("span_id", "id"),
                 5: ("trace_id", "id"), 6: ("as_int", "sfixed")},
}


# --- protobuf ---

def _varint(b, i):
    n = shift = 0
    while True:
        n |= (b[i] & 0x7F) << shift
        shift += 7
        i += 1
        if b[i - 1] < 0x80:
            return n, i


def _fields(b):
    i = 0
    while i < len(b):
        tag, i = _varint(b, i)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, i = _varint(b, i)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, i = b[i:i + size], i + size
        elif kind == 2:
            size, i = _varint(b, i)
            value, i = b[i:i + size], i + size
        else:
            raise ValueError(f"wire type {kind}")
        if i > len(b):
            raise ValueError("cut short")
        yield number, kind, value


SCALARS = {
    "text": lambda v: v.decode("utf-8", "surrogateescape"), "bytes": bytes, "id": lambda v: v.hex(), "bool": bool, "int": int,
    "sint": lambda v: v - (1 << 64) if v >> 63 else v, "fixed": lambda v: int.from_bytes(v, "little"),
    "fixed32": lambda v: int.from_bytes(v, "little"), "sfixed": lambda v: int.from_bytes(v, "little", signed=True),
    "double": lambda v: struct.unpack("<d", v)[0],
}


def _attributes(pairs):
    return {p.get("key", ""): p.get("value") for p in pairs}


def _plain(name, message):
    """What a decoded message is to tests: values as they are, lists of KeyValue as a dict."""
    if name == "AnyValue":
        return next(iter(message.values()), None)
    if name == "ArrayValue":
        return message.get("values", [])
    if name == "KeyValueList":
        return _attributes(message.get("values", []))
    for key in ("attributes", "filtered_attributes", "metadata"):
        if isinstance(message.get(key), list):
            message[key] = _attributes(message[key])
    return message


def _packed(kind, value):
    return [SCALARS[kind](value[i:i + 8]) for i in range(0, len(value), 8)]


def _message(name, data):
    out = {}
    for number, wire, value in _fields(data):
        key, kind = MESSAGES[name].get(number, (f"?{number}", None))
        if kind is None:
            out.setdefault(key, []).append(value)
        elif kind.startswith("*") and kind[1:] in SCALARS:
            out.setdefault(key, []).extend(_packed(kind[1:], value) if wire == 2 else [SCALARS[kind[1:]](value)])
        elif kind.startswith("*"):
            out.setdefault(key, []).append(_message(kind[1:], value))
        else:
            out[key] = SCALARS[kind](value) if kind in SCALARS else _message(kind, value)
    return _plain(name, out)


# --- JSON ---

def _snake(name):
    return re.sub("([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def _json_scalar(kind, value):
    if kind in ("int", "sint", "fixed", "fixed32", "sfixed"):
        return int(value)
    return float(value) if kind == "double" else value.lower() if kind == "id" else value


def _json_message(name, data):
    kinds = {key: kind for key, kind in MESSAGES[name].values()}
    out = {}
    for member, value in (data or {}).items():
        key = _snake(member)
        kind = kinds.get(key)
        if kind is None or value is None or (value == "" and name != "AnyValue"):
            continue
        if kind.startswith("*"):
            out[key] = [_json_scalar(kind[1:], v) if kind[1:] in SCALARS else _json_message(kind[1:], v) for v in value]
        else:
            out[key] = _json_scalar(kind, value) if kind in SCALARS else _json_message(kind, value)
    return _plain(name, out)


# --- for tests ---

def decode(signal, body, is_json=False):
    """The request of a signal ("logs", "traces", "metrics" or its path)."""
    name = signal.rsplit("/", 1)[-1]
    return _json_message(name, json.loads(body)) if is_json else _message(name, body)


def spans(request):
    """Each span with its resource's attributes and its scope's name: (resource, scope, span)."""
    for rs in request.get("resource_spans", []):
        for ss in rs.get("scope_spans", []):
            for span in ss.get("spans", []):
                yield rs.get("resource", {}).get("attributes", {}), ss.get("scope", {}).get("name", ""), span


def log_records(request):
    for rl in request.get("resource_logs", []):
        for sl in rl.get("scope_logs", []):
            for record in sl.get("log_records", []):
                yield rl.get("resource", {}).get("attributes", {}), sl.get("scope", {}).get("name", ""), record


def metrics(request):
    for rm in request.get("resource_metrics", []):
        for sm in rm.get("scope_metrics", []):
            for metric in sm.get("metrics", []):
                yield rm.get("resource", {}).get("attributes", {}), sm.get("scope", {}).get("name", ""), metric


def points(metric):
    for kind in ("gauge", "sum", "histogram"):
        yield from metric.get(kind, {}).get("data_points", [])
