#!/usr/bin/env python3
"""Who may include what: the layers of the broker, and the walls between the broker, the library and the clients. Prices stand
beside them: both use broker/prices/, which knows neither.

A module may include headers of its own layer and of the layers below it, and only the libraries named beside it here.
A new file belongs into this table before it builds anything on others.
"""
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

BASE, PARSE, DOMAIN, EDGE, TOP = range(5)
LAYER_NAMES = ("base", "parse", "domain", "edge", "top")

# Module (a pattern over the file name without its suffix), layer, libraries. The first row that matches counts.
BROKER = (
    ("arena", BASE, {"protobuf-c"}),  # it is protobuf-c's allocator, too
    ("address", BASE, set()),
    ("buf", BASE, set()),
    ("file", BASE, set()),
    ("limit", BASE, set()),
    ("log", BASE, set()),
    ("path", BASE, set()),
    ("str", BASE, set()),
    ("verdict", BASE, set()),
    ("otlp_json*", PARSE, {"protobuf-c", "cjson", "otlp-types"}),
    ("otlp*", PARSE, {"protobuf-c", "otlp-types"}),
    ("inflate", PARSE, {"zlib"}),
    ("grpc_frame", PARSE, set()),
    ("error_json", PARSE, set()),
    ("error_text", PARSE, set()),
    ("secret", PARSE, set()),
    ("observation", DOMAIN, set()),
    ("field", DOMAIN, set()),
    ("error", DOMAIN, set()),
    ("content*", DOMAIN, set()),
    ("attribute", DOMAIN, set()),
    ("call", DOMAIN, set()),
    ("enrich*", DOMAIN, {"otlp-types", "protobuf-c"}),
    ("held", DOMAIN, set()),
    ("synthesise", DOMAIN, {"otlp-types"}),
    ("provider*", DOMAIN, set()),
    ("hook", DOMAIN, {"cjson"}),
    ("claude_session_file", EDGE, set()),
    ("claude_session_watch", EDGE, {"ev"}),
    ("claude_session", DOMAIN, {"cjson"}),
    ("session_record", EDGE, {"protobuf-c", "bus-types"}),  # first: it knows what is stored
    ("session*", DOMAIN, set()),
    ("tally", DOMAIN, set()),
    ("destination", DOMAIN, set()),
    ("outbox", DOMAIN, {"protobuf-c"}),
    ("forward_rules", DOMAIN, set()),
    ("forward_answer", DOMAIN, {"cjson"}),
    ("budget", DOMAIN, set()),
    ("metrics*", DOMAIN, set()),
    ("price", DOMAIN, set()),
    ("pipeline", DOMAIN, set()),
    ("outline*", DOMAIN, set()),
    ("config*", EDGE, {"inih"}),  # it knows the settings of every layer, and reads a file
    ("options", EDGE, set()),
    ("pricing", EDGE, set()),
    ("journal", EDGE, set()),
    ("clock", EDGE, set()),
    ("intake", EDGE, set()),
    ("ingest", EDGE, {"ev"}),
    ("batch", EDGE, set()),
    ("bus_pack", EDGE, {"bus-types"}),
    ("bus_wire", EDGE, {"protobuf-c", "bus-types"}),
    ("bus_socket", EDGE, {"nng"}),
    ("publish", EDGE, {"nng"}),
    ("query", EDGE, {"ev", "nng", "bus-types"}),
    ("access", EDGE, set()),
    ("peer*", EDGE, set()),
    ("refusal", EDGE, set()),
    ("vitals", EDGE, set()),
    ("gate", EDGE, {"ev"}),
    ("token", EDGE, set()),
    ("store*", EDGE, {"sqlite"}),
    ("tidier", EDGE, {"ev"}),
    ("ledger", EDGE, set()),
    ("keeper", EDGE, {"ev"}),
    ("forward_queue", EDGE, set()),
    ("forward_secret", EDGE, set()),
    ("forward_pack", EDGE, {"zlib"}),
    ("forward_report", EDGE, {"bus-types"}),
    ("forward*", EDGE, {"ev", "curl"}),
    ("grpc_rules", EDGE, {"otlp-types", "protobuf-c"}),
    ("grpc_answer", EDGE, {"nghttp2"}),
    ("grpc_stream", EDGE, {"nghttp2"}),
    ("grpc_conn", EDGE, {"nghttp2"}),
    ("grpc", EDGE, {"ev"}),
    ("http_rules", EDGE, {"otlp-types"}),
    ("http*", EDGE, {"ev", "microhttpd"}),
    ("listen", EDGE, {"ev"}),
    ("parting", EDGE, {"ev"}),
    ("rundir", EDGE, set()),
    ("service", EDGE, {"ev", "systemd"}),
    ("broker*", TOP, {"ev"}),
    ("main", TOP, set()),
)

LIBRARIES = {
    "ev.h": "ev", "nng/*": "nng", "protobuf-c/*": "protobuf-c", "cjson/*": "cjson", "microhttpd.h": "microhttpd", "nghttp2/*": "nghttp2", "sqlite3.h": "sqlite", "zlib.h": "zlib",
    "ini.h": "inih", "systemd/*": "systemd", "curl/*": "curl", "opentelemetry/*": "otlp-types", "google/*": "otlp-types",
    "agentbus/*": "bus-types",
}

PURE_C = {f"{h}.h" for h in ("assert ctype errno float inttypes iso646 limits math stdalign stdarg stdbool stddef stdint stdio stdlib"
                             " string strings time").split()}

# A file of broker/prices/ may use these; no I/O and no clock.
PRICES_LIBRARIES = {"cjson"}

# Directory of a client: what it may use beside libc, its own directory and clients/common.
CLIENT_LIBRARIES = {
    "lib": {"nng", "protobuf-c", "bus-types"},
    "common": {"cjson", "ev", "inih"},
}
OTHER_CLIENTS = {"cjson", "curl", "ev", "inih", "systemd"}

CLOCK = re.compile(r"\b(clock_gettime|gettimeofday|ev_now|clock_now\w*|time)\s*\(\s*(NULL|0|CLOCK|EV_|\))")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def library(header):
    return next((name for pattern, name in LIBRARIES.items() if fnmatchcase(header, pattern)), None)


def row_of(stem):
    return next((row for row in BROKER if fnmatchcase(stem, row[0])), None)


def broker_faults(path):
    text = path.read_text()
    row = row_of(path.stem)
    if not row:
        yield "is in no layer: add it to the table of tests/lint/layers.py"
        return
    _, layer, libraries = row
    for _, header in INCLUDE.findall(text):
        used = library(header)
        if used:
            if used not in libraries:
                yield f"includes <{header}>: {path.stem} may not use {used}"
        elif header.startswith("prices/"):
            if layer < DOMAIN:
                yield f'includes "{header}": prices are no business of the {LAYER_NAMES[layer]} layer'
        elif (REPO / "broker" / header).exists():
            other = row_of(Path(header).stem)
            if other and other[1] > layer:
                yield f'includes "{header}" of the {LAYER_NAMES[other[1]]} layer, above its own ({LAYER_NAMES[layer]})'
        elif layer in (PARSE, DOMAIN) and header not in PURE_C:
            yield f"includes <{header}>: the {LAYER_NAMES[layer]} layer does no I/O"
    if layer in (PARSE, DOMAIN):
        for match in CLOCK.finditer(text):
            yield f"reads the clock ({match[1]}): time is an argument in the {LAYER_NAMES[layer]} layer"


def prices_faults(path):
    text = path.read_text()
    for _, header in INCLUDE.findall(text):
        used = library(header)
        if used:
            if used not in PRICES_LIBRARIES:
                yield f"includes <{header}>: prices/ may not use {used}"
        elif not header.startswith("prices/") and header not in PURE_C:
            yield f'includes "{header}": prices/ knows neither broker nor clients, and does no I/O'
    for match in CLOCK.finditer(text):
        yield f"reads the clock ({match[1]}): time is an argument in prices/"


def client_faults(path):
    parts = path.relative_to(REPO / "clients").parts
    own = parts[0] if len(parts) > 1 else path.stem.removesuffix("-subscriber")
    libraries = CLIENT_LIBRARIES.get(own, OTHER_CLIENTS)
    for _, header in INCLUDE.findall(path.read_text()):
        used = None if (REPO / "clients" / header).exists() else library(header)
        if used:
            if used not in libraries:
                yield f"includes <{header}>: clients/{own} may not use {used}"
            continue
        directory = header.split("/")[0] if "/" in header else None
        if directory == "prices":
            if own in ("lib", "common"):
                yield f'includes "{header}": clients/{own} does without prices'
            continue
        if (REPO / "broker" / header).exists() and not (path.parent / header).exists() and not (REPO / "clients" / header).exists():
            yield f'includes "{header}" of the broker: a client knows agentbus.h only'
        elif directory and (REPO / "clients" / directory).is_dir() and directory not in (own, "common"):
            yield f'includes "{header}": clients/{directory} is not its own'
        elif directory == "common" and own == "lib":
            yield f'includes "{header}": the library stands alone'


def main():
    status = 0
    for files, faults in (("broker/prices/*", prices_faults), ("broker/*", broker_faults), ("clients/**/*", client_faults)):
        for path in sorted(REPO.glob(files + ".[ch]")):
            name = path.relative_to(REPO)
            found = list(faults(path))
            for fault in found:
                print(f"{name} {fault}")
                status = 1
            print(f"{'FAIL' if found else 'ok'} {name}")
    return status


sys.exit(main())
