"""The dashboard, the alert rules and the documentation name what is measured, and nothing else."""

import importlib
import json
import pkgutil
import re
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from clinic_chat import metrics
from clinic_chat.metrics.instruments import REGISTRY, Counter, Gauge, Histogram
from clinic_chat.settings import PROJECT_ROOT

DASHBOARD = PROJECT_ROOT / "deploy" / "grafana-dashboard.json"
ALERTS = PROJECT_ROOT / "deploy" / "alerts.yaml"
OPERATIONS = PROJECT_ROOT / "docs" / "operations.md"
# Of PromQL, where it could be taken for a metric, and what Prometheus makes itself.
WORDS = {"by", "le", "on", "and", "or", "unless", "up"}
PROMETHEUS_LABELS = {"instance", "job", "le"}
NAME = re.compile(r"\b(?:clinic_chat|process|python)_\w+")
SELECTOR = re.compile(r"\b((?:clinic_chat|process|python)_\w+)\{([^}]*)\}")
FUNCTIONS = {"sum", "max", "count", "rate", "increase", "histogram_quantile"}
# What would tell whose it is.
PERSONAL = {"clinic", "user", "person", "patient", "address", "ip", "path", "email", "account"}


@pytest.fixture(scope="module")
def families() -> dict[str, Metric]:
    """Everything that is measured, by the name of each sample."""
    for module in pkgutil.iter_modules(metrics.__path__, f"{metrics.__name__}."):
        importlib.import_module(module.name)
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    found: dict[str, Metric] = {}
    for collector in REGISTRY._collector_to_names:
        ours = isinstance(collector, Counter | Histogram | Gauge)
        for family in getattr(collector, "describe" if ours else "collect")():
            ends = ("_info",) if family.type == "info" else suffixes.get(family.type, ("",))
            found |= {f"{family.name}{end}": family for end in ends}
    return found


def labels_of(family: Metric) -> set[str]:
    names = set(getattr(family, "_labelnames", ()))
    return names.union(*(sample.labels for sample in family.samples))


def expressions() -> list[str]:
    """All that the dashboard and the rules ask for."""
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return asked + [rule["expr"] for rule in rules()]


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def test_the_rules_are_rules_of_prometheus() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names)) > 10
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"ClinicChat[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert re.search(r"[<>=]=? ?[\d.]+$", rule["expr"]), "an alert compares"


def test_the_dashboard_has_its_panels_side_by_side() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]

    assert len(places) == len(set(places)) == len({p["id"] for p in panels}) > 30
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in panels)
    assert all(p.get("targets") or p["type"] == "row" for p in panels)


def test_expressions_are_whole() -> None:
    for expression in expressions():
        plain = re.sub(r'"[^"]*"', '""', expression)
        for opening, closing in ("()", "[]", "{}"):
            assert plain.count(opening) == plain.count(closing), expression
        called = set(re.findall(r"\b([a-z_]+) ?\(", re.sub(r"\bby \([^)]*\)", "", plain)))
        assert called <= FUNCTIONS, expression


def test_every_metric_that_is_asked_for_exists_with_its_labels(families: dict[str, Metric]) -> None:
    for expression in expressions():
        names = set(NAME.findall(expression))
        assert names or expression.startswith("up{"), expression
        assert names <= set(families), expression
        for name, selector in SELECTOR.findall(expression):
            known = labels_of(families[name]) | PROMETHEUS_LABELS
            assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= known, expression
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            known = PROMETHEUS_LABELS.union(*(labels_of(families[name]) for name in names))
            assert set(grouped.replace(" ", "").split(",")) <= known, expression


def test_a_bound_that_is_asked_for_is_one_of_the_histogram(families: dict[str, Metric]) -> None:
    for name, selector in (
        found for expression in expressions() for found in SELECTOR.findall(expression)
    ):
        for bound in re.findall(r'le="([^"]+)"', selector):
            family = families[name]
            collector = next(
                one
                for one in REGISTRY._collector_to_names
                if getattr(one, "name", "") == family.name
            )
            assert float(bound) in collector._bounds, name  # type: ignore[attr-defined]


def test_rates_are_of_what_only_grows(families: dict[str, Metric]) -> None:
    for expression in expressions():
        for name in re.findall(r"(?:rate|increase)\((\w+)", expression):
            assert families[name].type in ("counter", "histogram"), expression


def test_the_documentation_has_every_metric_and_no_other(families: dict[str, Metric]) -> None:
    section = OPERATIONS.read_text().partition("## Metrics")[2]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    documented: dict[str, set[str]] = {}
    for row in rows:
        names, labels, _ = (part.strip() for part in row.strip("|").split("|", 2))
        documented |= {name: set(re.findall(r"`(\w+)`", labels)) for name in NAME.findall(names)}
    wanted = {
        family.name if family.type == "histogram" else name for name, family in families.items()
    }

    assert set(documented) == wanted
    for name, told in documented.items():
        if name.startswith("clinic_chat"):
            family = families.get(name) or families[f"{name}_count"]
            assert told == labels_of(family) - {"le"}, name


def test_no_label_tells_whose_it_is(families: dict[str, Metric]) -> None:
    labels = set().union(*(labels_of(family) for family in families.values()))

    assert labels & PERSONAL == set()
