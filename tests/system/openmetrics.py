"""A strict reader of metrics: OpenMetrics 1.0, and the older text format of Prometheus. It accepts nothing that is merely usual.

    page = openmetrics.read(answer.body, openmetrics=True)
    page.value("agentbus_requests_total", provider="codex", model="gpt-5.5")
"""
import re

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
TEXT = r'(?:[^"\\\n]|\\[\\n"])*'
SET = rf'(?:{NAME}="{TEXT}"(?:,{NAME}="{TEXT}")*)?'
NUMBER = r"\d+(?:\.\d+)?"
SAMPLE = re.compile(rf"({NAME})(?:\{{({SET})\}})? ({NUMBER})(?: # \{{({SET})\}} ({NUMBER}) ({NUMBER}))?")
LABEL = re.compile(rf'({NAME})="({TEXT})",?')
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "histogram": ("_bucket", "_count", "_sum")}
TYPES_BEFORE = ("counter", "gauge", "histogram")
UNESCAPED = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


class Page:
    def __init__(self):
        self.types, self.units, self.helps = {}, {}, {}
        self.samples = {}  # (name, labels as a frozenset of pairs): value
        self.exemplars = {}  # the same: (labels, value, time)

    def value(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def series(self, name):
        """[(labels, value)] of a name."""
        return [(dict(labels), value) for (n, labels), value in self.samples.items() if n == name]

    def sum(self, metric, **labels):
        return sum(v for have, v in self.series(metric) if labels.items() <= have.items())


def labels_of(text):
    found = [(name, re.sub(r'\\[\\n"]', lambda m: UNESCAPED[m[0]], value)) for name, value in LABEL.findall(text)]
    assert len(dict(found)) == len(found), f"a label twice: {text}"
    return found


def family_of(page, name, openmetrics):
    """The family that a sample's name belongs to."""
    for family, kind in page.types.items():
        suffixes = SUFFIXES[kind] if openmetrics or kind == "histogram" else ("",)
        if name in [family + s for s in suffixes]:
            return family
    raise AssertionError(f"{name} was not declared before")


def read_comment(page, line, openmetrics, order):
    match = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
    assert match, line
    what, family, rest = match.groups()
    table = {"TYPE": page.types, "UNIT": page.units, "HELP": page.helps}[what]
    assert family not in table, f"twice: {line}"
    table[family] = rest
    if what == "TYPE":
        assert rest in (SUFFIXES if openmetrics else TYPES_BEFORE), line
        assert not openmetrics or not family.endswith(("_total", "_info", "_bucket", "_count", "_sum")), line
        order.append(family)
    else:
        assert order and order[-1] == family, f"not beside its TYPE: {line}"
    if what == "UNIT":
        assert openmetrics and family.endswith("_" + rest), line


def read_sample(page, line, openmetrics, order):
    match = SAMPLE.fullmatch(line)
    assert match, line
    name, labels, value, exemplar, exemplar_value, exemplar_time = match.groups()
    labels = labels_of(labels or "")
    family = family_of(page, name, openmetrics)
    assert order[-1] == family, f"{name} between samples of {order[-1]}"
    key = name, frozenset(labels)
    assert key not in page.samples, f"twice: {line}"
    page.samples[key] = float(value)
    if exemplar is not None:
        assert openmetrics and name.endswith("_bucket"), line
        assert sum(len(k) + len(v) for k, v in labels_of(exemplar)) <= 128, line
        page.exemplars[key] = dict(labels_of(exemplar)), float(exemplar_value), float(exemplar_time)


def check_histogram(page, family):
    rows = {}
    for labels, value in page.series(family + "_bucket"):
        le = labels.pop("le")
        rows.setdefault(frozenset(labels.items()), []).append((float(le.replace("+Inf", "inf")), value))
    for labels, buckets in rows.items():
        assert buckets == sorted(buckets), f"{family}: {buckets}"
        assert [n for _, n in buckets] == sorted(n for _, n in buckets), f"not cumulative: {buckets}"
        assert buckets[-1][0] == float("inf")
        assert buckets[-1][1] == page.samples[family + "_count", labels]
        assert (family + "_sum", labels) in page.samples
    for (name, labels), (_, value, _) in page.exemplars.items():
        bounds = [le for le, _ in rows[frozenset(p for p in labels if p[0] != "le")]]
        le = float(dict(labels)["le"].replace("+Inf", "inf"))
        at = bounds.index(le)
        assert (bounds[at - 1] if at else 0) < value <= le, f"{name}: an example of {value} in the bucket up to {le}"


def read(body, openmetrics):
    text = body.decode("utf-8")
    assert text.endswith("\n") and "\n\n" not in text and "\r" not in text
    lines = text.splitlines()
    if openmetrics:
        assert lines.pop() == "# EOF"
    page, order = Page(), []
    for line in lines:
        assert line != "# EOF", "in the middle, or in the other format"
        if line.startswith("#"):
            read_comment(page, line, openmetrics, order)
        else:
            read_sample(page, line, openmetrics, order)
    assert set(page.types) == set(page.helps)
    for family, kind in page.types.items():
        if kind == "histogram":
            check_histogram(page, family)
    return page


if __name__ == "__main__":
    raise SystemExit("openmetrics.py is what the system tests share; run `make check-system`")
