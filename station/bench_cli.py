"""`station bench`: measure, and print figures for people or as one JSON document."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from station.terminal import ConfigOption, JsonOption, err, out, settings_of


def bench(
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this benchmark; may be given more than once.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=86_400, help="How long each measurement takes that can be of any length.")
    ] = 60.0,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what this computer reaches, on the simulated camera; nothing of a running cell is touched.

    Benchmarks: acquisition.
    """
    from station.bench import run_benches
    from station.bench_plan import BenchPlan

    plan = BenchPlan(settings_of(config, "simulate.toml"), seconds, lambda line: err.print(line, highlight=False))
    figures = run_benches(only or [], plan)
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    for name, values in figures.items():
        table = Table(name, "", box=None)
        for key, value in _flat(values):
            table.add_row(key, f"{value:,}" if isinstance(value, int | float) else str(value))
        out.print(table)


def _flat(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return rows
