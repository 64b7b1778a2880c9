"""`station msa`: how well the station agrees with itself, with a reference and with people: parts times trials."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import UNWELL, ConfigOption, DataOption, JsonOption, err, out, settings_of
from station.core.settings import data_dir
from station.host.records import read_references

msa_app = typer.Typer(
    help="Measurement system analysis: each part turned and judged several times.",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip

NameArgument = Annotated[str, typer.Argument(help="Name of the study, one word.")]


def _ask(words: str, config: Path | None, data: Path | None) -> None:
    """Tell the running station."""
    from station.host.control import ask

    answer = asyncio.run(ask(data or data_dir(settings_of(config, "simulate.toml")), words))
    if answer["refused"]:
        err.print(escape(answer["refused"]), highlight=False, soft_wrap=True)
        raise typer.Exit(UNWELL)


@msa_app.command("begin")
def msa_begin(
    name: NameArgument,
    trials: Annotated[int, typer.Option(min=2, max=20, help="How often each part is judged.")] = 3,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Have each part turned and judged several times from now on; all go to review. It goes on after a restart."""
    from models.errors import LabelError

    studies = {row["name"]: row for row in read_references(settings_of(config, "simulate.toml"), data).studies()}
    if name in studies and studies[name]["ended_at"] is not None:
        raise LabelError("label.study_unusable", f"{name} has ended at {studies[name]['ended_at']}; give another name")
    if name in studies and studies[name]["trials"] != trials:
        raise LabelError("label.study_unusable", f"{name} was begun with {studies[name]['trials']} trials")
    _ask(f"msa begin {name} {trials}", config, data)
    out.print(f"study {name} is under way: lay in its parts, then `station msa end`", highlight=False)


@msa_app.command("end")
def msa_end(config: ConfigOption = None, data: DataOption = None) -> None:
    """Have parts sorted again."""
    _ask("msa end", config, data)
    out.print("parts are sorted again", highlight=False)


@msa_app.command("list")
def msa_list(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the studies, the newest first."""
    rows = read_references(settings_of(config, "simulate.toml"), data).studies()
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("study", "trials a part", "parts", "judged", "begun", "ended", box=None)
    for row in rows:
        counts = (str(row["trials"]), str(row["parts"]), str(row["judged"]))
        table.add_row(*map(escape, (row["name"], *counts, row["begun_at"], row["ended_at"] or "under way")))
    out.print(table)


@msa_app.command("report")
def msa_report(
    name: NameArgument,
    reference: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="CSV: part_id, reference, and a column for each trial of a person, named after the person.",
        ),
    ],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where msa.html and msa.json go.")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report how a study's trials agree with each other, with the reference and with people."""
    from models.errors import LabelError
    from station.core.clock import SystemClock
    from station.offline.msa.figures import figures_of
    from station.offline.msa.report import rate_words, write_report
    from station.offline.msa.sheet import read_given, sheet_of

    settings = settings_of(config, "simulate.toml")
    reader, verdicts = read_references(settings, data), [verdict.name for verdict in settings.table.verdicts]
    trials = next((row["trials"] for row in reader.studies() if row["name"] == name), None)
    if trials is None:
        raise LabelError("label.no_study", name)
    sheet = sheet_of(reader.trials(name), read_given(reference, verdicts), trials)
    figures = figures_of(name, sheet, settings.table.passing.name, verdicts, trials, SystemClock().now())
    html, _json = write_report(figures, folder)
    if as_json:
        print(figures.model_dump_json(indent=2))
        return
    station = figures.appraisers[0]
    for words, counted in (
        ("effectiveness", station.effectiveness), ("misses", station.miss), ("false alarms", station.false_alarm),
    ):  # fmt: skip
        out.print(f"{words}: {rate_words(counted)}", highlight=False, soft_wrap=True)
    out.print(f"{station.opinion} by AIAG's criteria; {html}", highlight=False, soft_wrap=True)
