"""`station bench`: measure, and print figures and a verdict for people, or one JSON document; and draw a picture."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import UNWELL, ConfigOption, JsonOption, deliver, err, out, settings_of, unhindered
from station.core.choices import EngineName, Precision
from station.core.errors import ConfigError
from station.core.settings import ModelSettings, Settings


def bench(
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this benchmark; may be given more than once: machine, engine, ceiling, model_only, end_to_end, "
            "mix, scaling, lesser, cameras, torch_eager, acquisition, stream, memory, startup_s.",
        ),
    ] = None,
    engine: Annotated[EngineName | None, typer.Option(help="Another engine than the configured one.")] = None,
    precision: Annotated[Precision | None, typer.Option(help="Another arithmetic than the configured one.")] = None,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=86_400, help="How long the acquisition takes; others take a sixth of it each.")
    ] = 60.0,
    parts: Annotated[int, typer.Option(min=1, max=99_999, help="How many parts go through the whole cell.")] = 200,
    beside: Annotated[
        list[str] | None,
        typer.Option(metavar="BUNDLE", help="Another bundle that mix puts beside the configured one; may be repeated."),
    ] = None,
    cameras: Annotated[
        int, typer.Option(min=1, max=64, help="Up to how many such lines are tried on this computer at once.")
    ] = 1,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw latencies, a waterfall and throughput into this PNG.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what this computer reaches, and say whether it can run the configured line.

    Devices are simulated, whatever is configured; nothing of a running cell is touched. What else runs is in the way.
    """
    from station.bench.capability import capability
    from station.bench.cell_config import simulated
    from station.bench.cell_run import CellRuns
    from station.bench.ending import ended_by_signals
    from station.bench.machine import busy_share
    from station.bench.network_run import NetworkRun
    from station.bench.one_network import of_one_network
    from station.bench.plan import SHARE_OF_SECONDS, BenchPlan
    from station.bench.suite import run_benches, wanted_of
    from station.core.logs import configure_logs

    configure_logs("error", None)
    settings, left_out = of_one_network(simulated(_chosen(settings_of(config, "simulate.toml"), engine, precision)))
    if picture is not None:
        _require_writable(picture)
    wanted = wanted_of(only or [])
    busy_before = busy_share()
    with unhindered(err) as screen, ended_by_signals():

        def say(line: str) -> None:
            screen.print(escape(line), highlight=False)

        if left_out:
            say(f"Left out, for they have another network or geometry: {', '.join(left_out)}.")

        network = NetworkRun(settings, seconds / SHARE_OF_SECONDS, wanted, say)
        plan = BenchPlan(settings, seconds, say, CellRuns(settings, parts, say), network, tuple(beside or ()), cameras)
        figures: dict[str, Any] = run_benches(wanted, plan)
    judged = capability(figures, settings, busy_before)
    if picture is not None:
        from station.bench.picture import draw

        try:
            picture.write_bytes(draw(figures, judged, plan.cell.made()))
        except OSError as error:
            raise _unwritable(picture, error) from error
    if as_json:
        if not deliver(json.dumps({**figures, "verdict": asdict(judged)}, indent=2)):
            raise typer.Exit(UNWELL)
        return
    for name, values in figures.items():
        out.print(_table(name, values))
    for sentence in judged.words:
        out.print(escape(sentence), style="bold", highlight=False, soft_wrap=True)


def _chosen(settings: Settings, engine: EngineName | None, precision: Precision | None) -> Settings:
    """The settings with another engine, in the first arithmetic that it has where none is asked for."""
    from models.engines import ARTEFACT_OF

    model: ModelSettings = settings.model
    if engine is not None:
        first = next(known for name, known in ARTEFACT_OF if name == engine)
        model = model.model_copy(update={"engine": engine, "precision": first})
    if precision is not None:
        model = model.model_copy(update={"precision": precision})
    return settings.model_copy(update={"model": model})


def _require_writable(picture: Path) -> None:
    """Refuse before minutes have passed."""
    try:
        picture.touch()
    except OSError as error:
        raise _unwritable(picture, error) from error


def _unwritable(picture: Path, error: OSError) -> ConfigError:
    return ConfigError("config.file_failed", f"--picture {picture}: {error.strerror}")


def _table(name: str, values: Mapping[str, Any] | None) -> Table:
    table = Table(name, "", box=None)
    for key, value in _flat(values or {"": "not measured here"}):
        table.add_row(escape(key), f"{value:,}" if isinstance(value, int | float) else escape(str(value)))
    return table


def _flat(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        rows += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return rows
