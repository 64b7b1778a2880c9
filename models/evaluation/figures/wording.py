"""How the report writes figures and names."""

from models.evaluation.figures.rates import Rate

NOTHING = "\N{EN DASH}"
"""Stands where a figure cannot be given."""


def percent(share: float | None) -> str:
    """A share for people, with the digits that it deserves."""
    if share is None:
        return NOTHING
    if share in {0.0, 1.0}:
        return f"{share:.0%}".replace("%", " %")
    return (f"{share:.1%}" if 0.1 <= share <= 0.9 else f"{share:.2%}").replace("%", " %")


def within(counted: Rate) -> str:
    """A rate's limits and counts."""
    return f"{percent(counted.lower)} to {percent(counted.upper)} ({counted.events:,} of {counted.trials:,})"


def digits(area: float | None) -> str:
    """An area under a curve."""
    return NOTHING if area is None else f"{area:.4f}"


def name(label: str) -> str:
    """A class for people."""
    return label.replace("_", " ")
