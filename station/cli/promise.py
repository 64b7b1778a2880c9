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
    promised = _promised(settings, data)
    chosen = RecordFilter.parse(since, until, (), None)
    rows = _outgoing(settings, data, chosen, settings.plant.calendar if by_shift else None)
    if as_json:
        print(json.dumps({"promised": promised, "outgoing": [row.plain() for row in rows]}, indent=2))
        return
    for sentence in (*promised.values(), *(row.sentence for row in rows)):
        out.print(sentence, markup=False, soft_wrap=True, highlight=False)
    if not rows:
        told = "No part was drawn to be looked at; decision.spot_check says how many of those that would pass are."
        out.print(told, markup=False, soft_wrap=True, highlight=False)


def _promised(settings: Settings, data: Path | None) -> dict[str, str]:
    """The sentence of each part type."""
    from station.host.promise import sentences

    return sentences(settings, data)


def _outgoing(
    settings: Settings, data: Path | None, chosen: RecordFilter, calendar: "Calendar | None"
) -> "list[Outgoing]":
    from station.labels.outgoing import outgoing

    truths = Truths(open_labels(settings, data).labels(), settings.table.passing.name)
    return outgoing(read_records(settings, data).spot_checks(chosen), truths, calendar)
