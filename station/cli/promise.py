"""`station promise`: what is promised of the parts that pass, and what people have found among those drawn by lot."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.terminal import ConfigOption, DataOption, JsonOption, out, settings_of
from station.core.records import RecordFilter
from station.core.settings import Settings
from station.host.records import read_records
from station.labels.build import open_labels
from station.labels.picking.truth import Truths

if TYPE_CHECKING:
    from station.core.calendar import Calendar
    from station.core.promise import Standing, Suspension
    from station.labels.outgoing import Outgoing

promise_app = typer.Typer(
    help="What is promised of the parts that pass, and what was found among those drawn by lot.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@promise_app.callback()
def promise() -> None:
    """What is promised of the parts that pass, and what was found among those drawn by lot."""


@promise_app.command("show")
def promise_show(
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only parts from this time on, ISO 8601; without a zone UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only parts before this time, ISO 8601.")] = None,
    by_shift: Annotated[bool, typer.Option("--by-shift", help="A line a shift, as plant.shifts says.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each part type's network promises, and at most how many defective parts went out.

    The second is from `decision.spot_check`: a limit of 95 % that holds whenever one looks, from the labels of the
    parts that were drawn. With --json the drawn parts that wait for a label are named.
    """
    settings = settings_of(config, "simulate.toml")
    standings = _standings(settings, data)
    suspensions = {name: one.suspension for name, one in standings.items()}
    chosen = RecordFilter.parse(since, until, (), None)
    rows = _outgoing(settings, data, chosen, suspensions, settings.plant.calendar if by_shift else None)
    if as_json:
        promised = {name: {"sentence": one.sentence, "suspended": one.is_suspended} for name, one in standings.items()}
        print(json.dumps({"promised": promised, "outgoing": [row.plain() for row in rows]}, indent=2))
        return
    for one in standings.values():
        _say(one.sentence, one.suspension)
    for row in rows:
        _say(row.sentence, row.suspension)
    if not rows:
        _say("No part was drawn to be looked at; decision.spot_check says how many of those that would pass are.")


def _say(sentence: str, suspension: "Suspension | None" = None) -> None:
    """Print a sentence, grey where what it promises is suspended."""
    style = "dim" if suspension is not None else None
    out.print(sentence, style=style, markup=False, soft_wrap=True, highlight=False)


def _standings(settings: Settings, data: Path | None) -> "dict[str, Standing]":
    """Where each part type's promise stands."""
    from station.host.promise import standings

    return standings(settings, data)


def _outgoing(
    settings: Settings,
    data: Path | None,
    chosen: RecordFilter,
    suspensions: "dict[str, Suspension | None]",
    calendar: "Calendar | None",
) -> "list[Outgoing]":
    from station.labels.outgoing import outgoing

    truths = Truths(open_labels(settings, data).labels(), settings.table.passing.name)
    return outgoing(read_records(settings, data).spot_checks(chosen), truths, suspensions, calendar)
