"""Prometheus' text format 0.0.4. Source: prometheus.io, "Exposition formats"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

KIND = "text/plain; version=0.0.4; charset=utf-8"
ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = Mapping[str, str]
Sample = tuple[str, Labels, float]
"""What is put behind the family's name, the labels, the value."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: Its name.
        kind: What it is.
        tells: What it says, in a line.
        samples: Its values.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    tells: str
    samples: tuple[Sample, ...]


def written(families: Iterable[Family]) -> str:
    """The metrics as they are sent; those without a value are left out."""
    return "".join(_family(family) for family in families if family.samples)


def _family(family: Family) -> str:
    head = f"# HELP {family.name} {family.tells}\n# TYPE {family.name} {family.kind}\n"
    lines = (f"{family.name}{ending}{_labels(labels)} {value:.17g}\n" for ending, labels, value in family.samples)
    return head + "".join(lines)


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value.translate(ESCAPED)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""
