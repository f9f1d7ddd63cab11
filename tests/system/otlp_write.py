"""The way back from otlp_read's dicts: the same request in protobuf or JSON, so that a recording can be sent in another encoding."""
import base64
import json
import re
import struct

from otlp import varint
from otlp_read import MESSAGES

LISTS = ("attributes", "filtered_attributes", "metadata")  # dicts here, lists of KeyValue on the wire


def _value_member(value):
    """The member of AnyValue that holds a Python value."""
    for kind, name in ((bool, "bool_value"), (int, "int_value"), (float, "double_value"), (str, "string_value"), (bytes, "bytes_value"),
                       (list, "array_value"), (dict, "kvlist_value")):
        if isinstance(value, kind):
            return name
    raise TypeError(value)


def _unplain(name, message):
    """What _plain() of otlp_read made simple, as the proto has it."""
    if name == "AnyValue":
        return {} if message is None else {_value_member(message): message}
    if name == "ArrayValue":
        return {"values": message}
    if name == "KeyValueList":
        return {"values": _pairs(message)}
    return {k: _pairs(v) if k in LISTS else v for k, v in message.items()}


def _pairs(attributes):
    return [{"key": k, "value": v} for k, v in attributes.items()]


# --- protobuf ---

def _scalar(number, kind, value):
    if kind in ("text", "bytes", "id"):
        data = value.encode("utf-8", "surrogateescape") if kind == "text" else bytes.fromhex(value) if kind == "id" else value
        return varint(number << 3 | 2) + varint(len(data)) + data
    if kind in ("bool", "int", "sint"):
        return varint(number << 3) + varint(int(value) & (1 << 64) - 1)
    if kind == "fixed32":
        return varint(number << 3 | 5) + value.to_bytes(4, "little")
    packed = struct.pack("<d", value) if kind == "double" else value.to_bytes(8, "little", signed=kind == "sfixed")
    return varint(number << 3 | 1) + packed


def _field(number, kind, value):
    if not kind.lstrip("*") in MESSAGES:
        return _scalar(number, kind.lstrip("*"), value)
    data = _protobuf(kind.lstrip("*"), value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def _protobuf(name, message):
    message = _unplain(name, message)
    out = bytearray()
    for number, (key, kind) in sorted(MESSAGES[name].items()):
        if key not in message or (name == "KeyValue" and key == "value" and message[key] is None):
            continue
        for value in message[key] if kind.startswith("*") else [message[key]]:
            out += _field(number, kind, value)
    return bytes(out)


# --- JSON ---

def _camel(name):
    return re.sub("_([a-z])", lambda m: m.group(1).upper(), name)


def _json_scalar(kind, value):
    if kind in ("sint", "fixed", "sfixed"):
        return str(value)
    return base64.b64encode(value).decode() if kind == "bytes" else value


def _json(name, message):
    message = _unplain(name, message)
    out = {}
    for key, kind in MESSAGES[name].values():
        if key not in message:
            continue
        one = kind.lstrip("*")
        convert = (lambda v, one=one: _json(one, v)) if one in MESSAGES else (lambda v, one=one: _json_scalar(one, v))
        out[_camel(key)] = [convert(v) for v in message[key]] if kind.startswith("*") else convert(message[key])
    return out


def encode(signal, request, as_json=False):
    """The body of a request as otlp_read.decode() gives it."""
    name = signal.rsplit("/", 1)[-1]
    return json.dumps(_json(name, request)).encode() if as_json else _protobuf(name, request)
