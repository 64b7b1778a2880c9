"""`station archive`: scans that were kept, judged again by another network, and what that one decides otherwise."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from models.version import INSTALL_CLUSTER
from station.cli.terminal import UNWELL, ConfigOption, DataOption, JsonOption, err, out, progress, settings_of

if TYPE_CHECKING:
    from station.offline.archive.crew import Crew
    from station.offline.archive.differences import Comparison
    from station.offline.archive.inspecting import Outcome
    from station.offline.archive.judging import Order

archive_app = typer.Typer(
    help="Judge kept scans again by another network.", no_args_is_help=True, rich_markup_mode=None
)  # fmt: skip

ResultsOption = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Folder of the results; the same one goes on.", show_default=False),
]
NETWORK_HELP = "The network: its name, its hash, or how that begins; not needed where there is but one."
MOST_LISTED = 20
"""So many differences are listed where nobody asks for all."""


@archive_app.command("inspect")
def inspect_archive(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A station's data folder, an archive, a recording, or images; or, in a store, s3://BUCKET/BEGINNING.",
        ),
    ],
    out_folder: ResultsOption,
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="A shipped bundle's name, a bundle's folder, or promoted.")
    ] = "promoted",
    local: Annotated[
        bool, typer.Option("--local", help="On this computer alone, in processes; so it is without --cluster, too.")
    ] = False,
    cluster: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="On the cluster that `station cluster start` began there.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Networks at once on this computer; by default one for each core.")
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="Name of the cell that the scans are of; by default the configuration's.")
    ] = None,
    rows_per_file: Annotated[int, typer.Option(min=1, help="Rows in a file of results, at the most.")] = 1000,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge every scan that the network has not judged yet, as `station inspect` does; a row each, as Parquet.

    Interrupt it and give the same command: it goes on, and tries again what could not be read. Exit status: 0 every
    scan has its row; 1 some could not be judged, and their rows say why; 2 nothing can be judged so. A store is that of
    central.store, with the key in its key_file or, without, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    """
    _require_packages("pyarrow", "obstore", *(() if cluster is None else ("ray",)))
    from models.engines.processor import usable_cores
    from station.core.errors import ConfigError
    from station.offline.archive.differences import compare
    from station.offline.archive.inspecting import Asked, inspect_again

    if cluster is not None and (local or workers is not None):
        raise ConfigError("config.bad_option", "--local and --workers are for one computer, --cluster is for several")
    settings = settings_of(config, "simulate.toml")
    count = workers or usable_cores()
    threads = 1 if cluster is not None else max(1, usable_cores() // count)
    asked = Asked(source, model, out_folder, cell or settings.station.name, rows_per_file)
    with progress("scans") as told:
        outcome = inspect_again(asked, settings, data, threads, _crew_for(cluster, count), told)
    comparison = compare(out_folder, outcome.model, None) if outcome.rows + outcome.already else None
    if as_json:
        print(json.dumps({"outcome": _plain(outcome), "comparison": comparison and comparison.as_json()}, indent=2))
    else:
        _tell_outcome(outcome)
        if comparison is not None and comparison.compared:
            _tell_comparison(comparison, MOST_LISTED)
    if outcome.errors:
        raise typer.Exit(UNWELL)


@archive_app.command("differences")
def differences(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder of the results.")],
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL", help=NETWORK_HELP)] = None,
    against: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Another network of the results; by default the records.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help=f"List every difference, not only {MOST_LISTED}.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a network decides otherwise than the records say, or than another network.

    Parts that would pass now and did not come first, then those that would pass no more.
    """
    _require_packages("pyarrow", "obstore")
    from station.offline.archive.differences import compare

    comparison = compare(results, model, against)
    if as_json:
        print(json.dumps(comparison.as_json(), indent=2))
    else:
        _tell_comparison(comparison, len(comparison.differences) if every else MOST_LISTED)


def _require_packages(*names: str) -> None:
    """Refuse to go on without the packages of the extra `cluster`.

    Raises:
        ArchiveError: One is not installed.
    """
    from models.errors import ArchiveError

    if missing := [name for name in names if find_spec(name) is None]:
        told = f"{', '.join(missing)}; in the project's folder: {INSTALL_CLUSTER}"
        raise ArchiveError("archive.not_installed", told)


def _crew_for(cluster: str | None, workers: int) -> "Callable[[Order], AbstractContextManager[Crew]]":
    if cluster is None:
        from station.offline.archive.processes import processes

        return partial(processes, workers=workers)
    from station.offline.archive.on_ray import on_ray

    return partial(on_ray, address=cluster)


def _plain(outcome: "Outcome") -> dict[str, object]:
    return {
        "model": outcome.model, "scans": outcome.scans, "rows": outcome.rows, "already": outcome.already,
        "same": outcome.same, "left_out": dict(outcome.left_out), "errors": dict(outcome.errors),
    }  # fmt: skip


def _tell_outcome(outcome: "Outcome") -> None:
    told = f"{outcome.model}: {outcome.rows:,} of {outcome.scans:,} scans judged, {outcome.already:,} were already"
    if outcome.same:
        told += f", {outcome.same:,} are the same as others"
    out.print(told, markup=False, highlight=False, soft_wrap=True)
    for name, count in outcome.left_out.items():
        err.print(f"left out: {count:,} of {name}, which the network is not for", markup=False, highlight=False)
    for code, count in outcome.errors.most_common():
        err.print(f"not judged: {count:,} {code}", markup=False, highlight=False)


def _tell_comparison(comparison: "Comparison", most: int) -> None:
    told = f"Of {comparison.compared:,} scans that {comparison.against} has decided of, {comparison.model} decides"
    out.print(f"{told} {len(comparison.differences):,} otherwise.", markup=False, highlight=False, soft_wrap=True)
    order = ("passes now", "passes no more", "as before")
    table = Table("before", "now", "", "scans", box=None)
    for (before, after, passing), count in sorted(
        comparison.counts().items(), key=lambda row: (order.index(row[0][2]), -row[1], row[0])
    ):
        table.add_row(escape(before), escape(after), passing, f"{count:,}")
    if table.row_count:
        out.print(table)
    listed = sorted(comparison.differences, key=lambda one: order.index(one.passing))
    for one in listed[:most]:
        which = one.inspection_id or one.file
        out.print(f"{which}  {one.before} → {one.after}", markup=False, highlight=False, soft_wrap=True)
    if len(listed) > most:
        out.print(f"… {len(listed) - most:,} more: --all lists them", highlight=False)
