"""`station label import` and `export`: labels in and out as other programs write them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from station.cli.terminal import ConfigOption, DataOption, err, out, settings_of, user_name
from station.core.clock import SystemClock
from station.core.errors import ConfigError
from station.core.moments import moment, stamp
from station.core.settings import Settings, data_dir
from station.host.records import read_records
from station.labels.agreement import current
from station.labels.build import open_labels
from station.labels.chosen import LabelFilter
from station.labels.formats.archive import Archive
from station.labels.formats.entry import Format
from station.labels.formats.finding import Finder
from station.labels.formats.laying_out import lay_out, not_held, write_out
from station.labels.formats.pictures import Pictures
from station.labels.formats.registry import FORMATS, FormatName
from station.labels.formats.taking_in import Terms, take_in
from station.labels.label import BUILT_IN, Source

FormatOption = Annotated[FormatName, typer.Option("--format", help="How it is written.")]
ScansOption = Annotated[
    Path | None, typer.Option("--scans", metavar="DIR", help="Where the scans lie, also in folders of it.")
]

# ---------------------------------------------------------------------- import


def label_import(
    path: Annotated[Path, typer.Argument(metavar="FROM", help="A file, or a folder where the format is one of files.")],
    name: FormatOption,
    scans: ScansOption = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="THEIRS=OURS", help="What the station calls a class; may be given often."),
    ] = None,
    who: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who said so, where it is not told; by default the user.")
    ] = None,
    source: Annotated[Source, typer.Option(help="Where the labels are from, where it is not told.")] = Source.IMPORT,
    note: Annotated[str, typer.Option(help="What else there is to say, where nothing is told.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Take labels in that were made with another program: all of them, or none and what is wrong with them."""
    settings = settings_of(config, "simulate.toml")
    now = moment(stamp(SystemClock().now()))  # as it is read back
    terms = Terms((*settings.table.names, *BUILT_IN), _mapped(names or ()), who or user_name(), now, source, note)
    finder = Finder(Pictures(scans), _archive(settings, data))
    taken = take_in(path, FORMATS[name], finder, terms, open_labels(settings, data))
    _tell_left_out(taken.left_out)
    told = f"{taken.labels} labels, {taken.new} of them new, by {terms.who} where nobody is named"
    out.print(escape(told), highlight=False, soft_wrap=True)


def _mapped(names: Iterable[str]) -> Mapping[str, str]:
    mapped: dict[str, str] = {}
    for text in names:
        theirs, equals, ours = text.rpartition("=")
        if not (theirs and equals and ours) or theirs in mapped:
            raise ConfigError("config.bad_option", f"--map {text}: write it as THEIRS=OURS, each of theirs once")
        mapped[theirs] = ours
    return mapped


# ---------------------------------------------------------------------- export


def label_export(
    place: Annotated[Path, typer.Argument(metavar="OUT", help="The file or folder to write; nothing may lie there.")],
    name: FormatOption,
    scans: ScansOption = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="Only this class; may be given more than once.")
    ] = None,
    who: Annotated[list[str] | None, typer.Option("--by", metavar="NAME", help="Only what this person says.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Write down what people say now; what the format cannot hold is told by name."""
    settings = settings_of(config, "simulate.toml")
    chosen = LabelFilter(classes=tuple(classes or ()), who=tuple(who or ()))
    labels = chosen.of(current(open_labels(settings, data).labels()))
    form = FORMATS[name]
    laid = lay_out(labels, form, settings.table.names, Pictures(scans), _archive(settings, data))
    write_out(place, form, laid.sheet)
    _tell_left_out([*laid.left_out, *_of_every_label(form)])
    out.print(escape(f"{len(laid.sheet.rows)} labels in {place}"), highlight=False, soft_wrap=True)


def _of_every_label(form: Format) -> Iterable[str]:
    if missing := ", ".join(not_held(form)):
        yield f"of every label {missing}: {form.name} does not hold them"


# ---------------------------------------------------------------------- both


def _archive(settings: Settings, data: Path | None) -> Archive:
    return Archive(read_records(settings, data), data_dir(settings, data))


def _tell_left_out(told: Iterable[str]) -> None:
    for line in told:
        err.print(f"left out: {line}", highlight=False, markup=False, soft_wrap=True)
