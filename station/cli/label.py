"""`station label`: what people say that parts really are, said, listed and shown beside what was decided."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from station.cli.label_exchange import label_export, label_import
from station.cli.label_next import label_next, label_rates
from station.cli.label_tables import dossier_table, facts_table, findings_table, labels_table
from station.cli.terminal import ConfigOption, DataOption, JsonOption, err, out, settings_of, user_name
from station.core.clock import SystemClock
from station.core.errors import ConfigError
from station.core.moments import moment, stamp
from station.core.records import time_asked
from station.core.settings import Settings, data_dir
from station.host.records import read_records
from station.labels.agreement import current, disagreements
from station.labels.build import open_labels
from station.labels.chosen import LabelFilter
from station.labels.label import Box, Label, Region, Source, WholePart
from station.labels.plain import plain, plain_finding

if TYPE_CHECKING:
    from station.labels.subjects import Labelled

label_app = typer.Typer(
    help="Say what a part really is; list what was said, and what to label next.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

label_app.command("import")(label_import)
label_app.command("export")(label_export)
label_app.command("next")(label_next)
label_app.command("rates")(label_rates)

InspectionArgument = Annotated[
    str | None,
    typer.Argument(metavar="[INSPECTION]", help="The inspection's id, or a beginning that only one has."),
]
ScanOption = Annotated[
    Path | None, typer.Option("--scan", metavar="FILE", help="A file with a scan, in place of an inspection.")
]


# ---------------------------------------------------------------------- set


@label_app.command("set")
def label_set(
    class_name: Annotated[
        str,
        typer.Option(
            "--class", metavar="NAME", help="A configured class, other_defect, cannot_be_judged or withdrawn."
        ),
    ],
    inspection: InspectionArgument = None,
    scan: ScanOption = None,
    patch: Annotated[int | None, typer.Option(metavar="N", help="Only of this patch, counted from 0.")] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="L,C,H,W", help="Only of this box: first line and column, height, width."),
    ] = None,
    part_type: Annotated[
        str | None, typer.Option("--type", metavar="NAME", help="Type of the part in FILE, where patches need it.")
    ] = None,
    who: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who says so; by default the user.")] = None,
    source: Annotated[Source, typer.Option(help="Where the label is from.")] = Source.PERSON,
    note: Annotated[str, typer.Option(help="What else there is to say.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Say what a part, or a place on it, is. What you say later takes the place of what you said before."""
    from station.labels.saying import require_class, say

    settings = settings_of(config, "simulate.toml")
    require_class(class_name, settings.table)
    store = open_labels(settings, data)
    labelled = _labelled(settings, data, inspection, scan, part_type)
    now = moment(stamp(SystemClock().now()))  # as it is read back
    try:
        label = Label(
            labelled.subject, _region(labelled, patch, box), class_name, who or user_name(), now, source, note
        )
    except ValueError as error:
        raise ConfigError("config.bad_option", str(error)) from error
    say(store, label)
    out.print(escape(f"{label.subject}, {label.region}: {class_name}, by {label.who}"), soft_wrap=True, highlight=False)
    for other in current(store.labels(label.subject)):
        if other.region == label.region and other.class_name != class_name and not label.is_withdrawal:
            err.print(escape(f"But {other.who} says {other.class_name}."), soft_wrap=True, highlight=False)


def _labelled(
    settings: Settings, data: Path | None, inspection: str | None, scan: Path | None, part_type: str | None
) -> "Labelled":
    from station.labels.subjects import RecordedPart, read_scan_file

    _require_one_subject(inspection, scan)
    if scan is None:
        if part_type is not None:
            raise ConfigError("config.bad_option", "--type is of --scan; the type of an inspection is recorded")
        return RecordedPart(read_records(settings, data).record(inspection or ""), data_dir(settings, data))
    if part_type not in {None, *settings.part_types}:
        there_are = ", ".join(settings.part_types)
        raise ConfigError("config.bad_option", f"no part type {part_type!r}; there are {there_are}")
    return read_scan_file(scan, [kind for kind in settings.known_types if part_type in {None, kind.name}])


def _region(labelled: "Labelled", patch: int | None, box: str | None) -> Region:
    from station.labels.saying import patch_of, require_box_fits

    if patch is not None and box is not None:
        raise ConfigError("config.bad_option", "give --patch or --box, not both")
    if patch is not None:
        return patch_of(labelled, patch)
    if box is None:
        return WholePart()
    found = _box(box)
    require_box_fits(labelled, found)
    return found


def _box(text: str) -> Box:
    try:
        line, column, height, width = map(int, text.split(","))
        return Box(line, column, height, width)
    except ValueError as error:
        raise ConfigError("config.bad_option", f"--box {text}: write it as LINE,COLUMN,HEIGHT,WIDTH, in px") from error


def _require_one_subject(inspection: str | None, scan: Path | None) -> None:
    if (inspection is None) == (scan is None):
        raise ConfigError("config.bad_option", "give an inspection or --scan FILE, one of the two")


# ---------------------------------------------------------------------- list


@label_app.command("list")
def label_list(
    class_name: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="Only this class; may be given more than once.")
    ] = None,
    who: Annotated[list[str] | None, typer.Option("--by", metavar="NAME", help="Only what this person says.")] = None,
    source: Annotated[list[Source] | None, typer.Option(help="Only labels from there.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only from this time on, ISO 8601, for example 2026-05-01T06:00.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only before this time, ISO 8601.")] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH", help="Only of this: an inspection's id or a scan's hash, or how it begins; or a file."
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="All that was ever said, not only what each person says now.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what each person says now of each part and place, the oldest first."""
    chosen = LabelFilter(
        tuple(class_name or ()), tuple(who or ()), tuple(source or ()), time_asked(since), time_asked(until), subject
    )
    said = open_labels(settings_of(config, "simulate.toml"), data).labels()
    labels = chosen.of(said if history else current(said))
    if as_json:
        print(json.dumps([plain(label) for label in labels], indent=2))
        return
    out.print(labels_table(labels) if labels else "no labels")


# ---------------------------------------------------------------------- show


@label_app.command("show")
def label_show(
    inspection: InspectionArgument = None,
    scan: ScanOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that was said of one part, beside what was decided."""
    from station.labels.dossier import of_file, of_inspection

    _require_one_subject(inspection, scan)
    settings = settings_of(config, "simulate.toml")
    store = open_labels(settings, data)
    if scan is not None:
        dossier = of_file(scan, store)
    else:
        record = read_records(settings, data).record(inspection or "")
        dossier = of_inspection(record, data_dir(settings, data), store)
    if as_json:
        print(json.dumps(dossier.plain(), indent=2))
        return
    out.print(facts_table(dossier))
    out.print(dossier_table(dossier) if dossier.labels or dossier.former else "no labels")


# ---------------------------------------------------------------------- disagreements


@label_app.command("disagreements")
def label_disagreements(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the parts and places of which two people say different things."""
    found = disagreements(open_labels(settings_of(config, "simulate.toml"), data).labels())
    if as_json:
        print(json.dumps([plain_finding(finding) for finding in found], indent=2))
        return
    out.print(findings_table(found) if found else "no disagreements")
