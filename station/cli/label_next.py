"""`station label next` and `rates`: which parts to label, and what the labels say of all that were archived."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.label_tables import picks_table, rates_table
from station.cli.terminal import ConfigOption, DataOption, JsonOption, err, out, settings_of
from station.core.clock import SystemClock
from station.core.moments import moment, stamp
from station.core.settings import Settings, data_dir
from station.host.records import read_records
from station.labels.build import open_draws, open_labels
from station.labels.picking.truth import Truths

if TYPE_CHECKING:
    from station.labels.picking.candidate import Candidate
    from station.labels.picking.choosing import Choice

# ---------------------------------------------------------------------- next


def label_next(
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many parts.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Of the lots; keep to one.")] = 1,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write pictures there; nothing may lie there.")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List archived parts that nobody has labelled: most of them unsure ones, three in ten by lot.

    The unsure ones teach a network most. Those by lot tell how often anything happens (`station label rates`): label
    all of them, in their order. What is drawn is kept, so that the same command gives the same parts until they are
    labelled.
    """
    from station.labels.picking.choosing import choose

    settings = settings_of(config, "simulate.toml")
    now = moment(stamp(SystemClock().now()))  # as it is read back
    archived = _archived(settings, data)
    choice = choose(_waiting(archived, settings, data, now), count, seed, now)
    if choice.draw is not None:
        open_draws(settings, data).add([choice.draw])
    if out_folder is not None:
        _draw_pictures(choice, out_folder, settings)
    if as_json:
        print(json.dumps([pick.plain() for pick in choice.picks], indent=2))
        return
    out.print(picks_table(choice.picks) if choice.picks else _nothing(archived), soft_wrap=True)


def _archived(settings: Settings, data: Path | None) -> "list[Candidate]":
    from station.labels.picking.candidate import candidates

    return candidates(read_records(settings, data).archived(), data_dir(settings, data))


def _waiting(
    archived: "Sequence[Candidate]", settings: Settings, data: Path | None, now: datetime
) -> "list[Candidate]":
    truths = _truths(settings, data)
    return [one for one in archived if one.entered_at < stamp(now) and truths.of(one) is None]


def _truths(settings: Settings, data: Path | None) -> Truths:
    return Truths(open_labels(settings, data).labels(), settings.table.passing.name)


def _draw_pictures(choice: "Choice", folder: Path, settings: Settings) -> None:
    from station.offline.pick_pictures import draw_picks

    for line in draw_picks(choice.picks, folder, settings):
        err.print(f"left out: {line}", highlight=False, markup=False, soft_wrap=True)


def _nothing(archived: "Sequence[Candidate]") -> str:
    if archived:
        return f"nothing to label: something is said of each of the {len(archived)} archived parts"
    return "nothing to label: no scan is in the archive; records.archive names the verdicts whose scans are kept"


# ---------------------------------------------------------------------- rates


def label_rates(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Escapes and overkill among the archived parts, with exact limits, from those that were drawn by lot.

    Only what `station label next` drew by lot counts, as far as it is labelled in its order.
    """
    from station.labels.picking.rates import rates
    from station.labels.picking.sample import sample

    settings = settings_of(config, "simulate.toml")
    drawn = open_draws(settings, data).all()
    found = sample(_archived(settings, data), _truths(settings, data), drawn, settings.table.passing.name)
    rows = rates(found)
    if as_json:
        document = {"draws": len(drawn), "waiting": found.waiting, "rates": [row.plain() for row in rows]}
        print(json.dumps(document, indent=2))
        return
    out.print(rates_table(rows))
    if not drawn:
        out.print("nothing was drawn by lot yet: station label next", highlight=False)
    elif found.waiting:
        told = f"{found.waiting} that were drawn are not labelled yet; what comes after the first does not count"
        out.print(told, highlight=False, soft_wrap=True)
