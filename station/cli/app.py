"""The command line: `station --simulate`, `station run`, and everything around them.

Exit status: 0 well; 1 something was judged or found not to be well; 2 refused before anything moved; 3 the cell was
stopped by a fault; 4 it hung and ended itself.
"""

import asyncio
import json
import os
import sys
from contextlib import ExitStack
from enum import StrEnum
from importlib.resources import as_file
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from config import bundled
from station.cli.alarms import alarms_app
from station.cli.archive import archive_app
from station.cli.backup import backup_app
from station.cli.bench import bench
from station.cli.camera import camera_app
from station.cli.challenge import challenge_app
from station.cli.cluster import cluster_app
from station.cli.dataset import dataset_app
from station.cli.doctor import doctor
from station.cli.integration import integration_app
from station.cli.label import label_app
from station.cli.learn import gather_parts, learn
from station.cli.model import model_app
from station.cli.msa import msa_app
from station.cli.opcua import opcua
from station.cli.page import audit_app, page
from station.cli.plant import plant_app
from station.cli.promise import promise_app
from station.cli.recipe import recipe_app
from station.cli.recording import record
from station.cli.records import records_app
from station.cli.sbom import sbom
from station.cli.sparkplug import sparkplug
from station.cli.terminal import (
    REFUSED,
    STOPPED,
    UNWELL,
    ConfigOption,
    DataOption,
    JsonOption,
    deliver,
    err,
    out,
    output_prepared,
    progress,
    refuse,
    refuse_auto_reset,
    settings_of,
    terminal_log,
    unhindered,
)
from station.core.choices import Speed
from station.core.errors import ConfigError, StationError
from station.core.logs import configure_logs
from station.core.priority import precedence
from station.core.settings import data_dir, describe_settings, load_settings

app = typer.Typer(
    help="Controller of a line-scan surface-inspection cell.", no_args_is_help=True, pretty_exceptions_enable=False,
    rich_markup_mode=None,
)  # fmt: skip
app.add_typer(records_app, name="records")
app.add_typer(alarms_app, name="alarms")
app.add_typer(archive_app, name="archive")
app.add_typer(audit_app, name="audit")
app.add_typer(backup_app, name="backup")
app.add_typer(camera_app, name="camera")
app.add_typer(challenge_app, name="challenge")
app.add_typer(cluster_app, name="cluster")
app.add_typer(dataset_app, name="dataset")
app.add_typer(integration_app, name="integration")
app.add_typer(label_app, name="label")
app.add_typer(model_app, name="model")
app.add_typer(msa_app, name="msa")
app.add_typer(plant_app, name="plant")
app.add_typer(promise_app, name="promise")
app.add_typer(recipe_app, name="recipe")
app.command()(bench)
app.command()(doctor)
app.command()(learn)
app.command("learn-parts", hidden=True)(gather_parts)
app.command()(opcua)
app.command()(page)
app.command()(record)
app.command()(sbom)
app.command()(sparkplug)


OTHERS = 0o027
"""What may not be done with a new file: nothing by strangers, and no writing by the group."""


class MapFormat(StrEnum):
    """How a register map is printed."""

    TABLE = "table"
    MD = "md"
    CSV = "csv"
    MBPOLL = "mbpoll"


def main() -> None:
    """Run the command line; faults become one clear message and an exit status, never a stack of calls.

    What any command writes is for its user and the user's group; other users of the computer do not see it.
    """
    os.umask(os.umask(OTHERS) | OTHERS)
    with output_prepared():
        try:
            app()
        except StationError as error:
            refuse(error)
        except OSError as error:
            where = ", ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
            refuse(ConfigError("config.file_failed", f"{where or type(error).__name__}: {error.strerror or error}"))


# ---------------------------------------------------------------------- simulate

PARTS_FOR_PAGE = 1000
"""So many parts come while people look on, an hour's, where they do not say how many."""
SHOWN_ON_PAGE = ("part-thread@9",)
"""What they are shown, where they want nothing else to break: a good part that the network takes for a bad one."""
ON_PAGE = "Parts come until Ctrl-C, or --parts says how many. Not every one is judged rightly: the page shows why."
WITHOUT_PAGE = "`station --simulate --page` shows the cell in a browser."


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run the whole cell on recorded scans, simulated.")
    ] = False,
    recordings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the recording; by default the bundled one.")
    ] = None,
    parts: Annotated[
        int | None, typer.Option(min=1, help="How many parts; by default one pass of the recording.")
    ] = None,
    speed: Annotated[Speed, typer.Option(help="real: motions take their time; max: they take none.")] = Speed.REAL,
    data: DataOption = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the simulated cell writes its own ledger, as JSON lines.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[@PART]",
            help="Let something break in the simulated cell; `python -m sim --list-faults` lists the names.",
        ),
    ] = None,
    config: ConfigOption = None,
    with_page: Annotated[
        bool,
        typer.Option(
            "--page",
            help="Serve the operator page as well, also when the parts are through; they are 1000, where --parts does "
            "not say how many, and on one of them lies a thread, where --fault wants nothing else.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Controller of a line-scan surface-inspection cell.

    `station --simulate` runs the whole cell on recorded scans with a simulator in place of the hardware; `station run`
    runs it on the configured devices.
    """
    if context.invoked_subcommand is not None:
        return
    if not simulate:
        out.print(context.get_help())
        raise typer.Exit(REFUSED)
    with as_file(bundled("simulate.toml")) as shipped:
        code = _simulate(
            config or shipped, recordings, parts, speed, data, truth, fault or [], with_page=with_page, as_json=as_json
        )
    raise typer.Exit(code)


def _simulate(
    config: Path, recordings: Path | None, parts: int | None, speed: Speed, data: Path | None, truth: Path | None,
    faults: list[str], *, with_page: bool, as_json: bool,
) -> int:  # fmt: skip
    from sim.faults import wishes
    from station.core.watchers import Watchers
    from station.host.page_process import PageProcess
    from station.host.simulate import Ends, Simulation, SimulationOptions
    from station.view.live import CellView, parts_table, summary_text

    wished = tuple(map(str, wishes(faults)))
    settings = load_settings(config)
    folder = data_dir(settings, data)
    if with_page:
        parts = parts or PARTS_FOR_PAGE
        wished = wished or (() if recordings else SHOWN_ON_PAGE)
    ends: Ends = "when_told" if with_page else "when_stopped"
    options = SimulationOptions(config, recordings, parts, speed, truth, folder, wished, ends)
    delivered = True
    with unhindered(err if as_json else out) as screen, ExitStack() as stack:
        configure_logs(
            settings.station.log_level, folder / "logs", terminal_log(screen), settings.records.reserve_bytes
        )
        with CellView(screen, settings.table) as view:
            view.say(f"Simulated cell, recording {recordings or 'bundled with the station'}; records in {folder}")
            beside = stack.enter_context(PageProcess(config, folder, view.say)) if with_page else None
            view.say(ON_PAGE if with_page else WITHOUT_PAGE)
            watchers = Watchers()
            watchers.add(view.watch)
            with precedence():
                result = asyncio.run(Simulation(settings, options, watchers, view.say).run())
        if as_json:
            delivered = deliver(json.dumps({"parts": result.rows, "summary": result.summary}, indent=2))
        else:
            screen.print(parts_table(result.rows, settings.table))
            screen.print(summary_text(result.summary), highlight=False)
        if beside is not None and not result.told:
            beside.stay(lambda: screen.print("The operator page stays until Ctrl-C."))
    if result.reason is not None:
        fault = result.reason.fault
        with unhindered(err) as screen:
            words = f"{escape(fault.text)} {escape(result.reason.detail)}"
            screen.print(f"[bold red]The cell stopped: {fault.code}[/] {words}", soft_wrap=True)
        return STOPPED
    return 0 if delivered else UNWELL


# ---------------------------------------------------------------------- run, command, check


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file.")],
    data: DataOption = None,
    auto_reset: Annotated[
        bool, typer.Option("--auto-reset", help="Reset and Start without an operator; refused outside simulation.")
    ] = False,
) -> None:
    """Run the station on the configured devices until it is told to stop.

    Commands come from the line PLC and from `station command`; SIGTERM, Ctrl-C and a closed terminal bring the cell to
    Stopped first.
    """
    from station.core.watchers import Watchers
    from station.host.service import serve
    from station.view.live import CellView

    settings = load_settings(config)
    refuse_auto_reset(settings, config, auto_reset=auto_reset)
    folder = data_dir(settings, data)
    with unhindered(out) as screen:
        configure_logs(
            settings.station.log_level, folder / "logs", terminal_log(screen), settings.records.reserve_bytes
        )
        with CellView(screen, settings.table) as view, precedence():
            watchers = Watchers()
            watchers.add(view.watch)
            asyncio.run(serve(settings, folder, watchers, auto_reset=auto_reset))


@app.command()
def command(
    word: Annotated[
        str,
        typer.Argument(help="reset, start, stop, hold, unhold, suspend, unsuspend, abort, clear, complete or status."),
    ],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Send a PackML command to the running station, or ask for its state with `status`."""
    from station.host.control import send

    folder = data or data_dir(settings_of(config, "simulate.toml"))
    answer = asyncio.run(send(folder, word))
    out.print(answer["state"], highlight=False)
    if answer["reason"]:
        out.print(escape(answer["reason"]), highlight=False)
    if answer["suspended"]:
        out.print(escape(f"What is promised does not hold. {answer['suspended']}"), highlight=False)
    if answer["refused"]:
        err.print(escape(answer["refused"]), highlight=False)
        raise typer.Exit(1)


@app.command()
def check(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check devices, register maps, the model's hashes, disk and rights to real time; nothing is set in motion."""
    from station.host.check import check_station

    settings = load_settings(config)
    configure_logs("error", None)
    findings = asyncio.run(check_station(settings, data_dir(settings, data)))
    if as_json:
        rows = [
            {"what": one.what, "ok": one.problem is None, "said": one.said,
             "error": one.problem and {"code": one.problem.code, "message": str(one.problem)}}
            for one in findings
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
    else:
        table = Table("what", "", "said", box=None)
        for one in findings:
            mark = "[green]ok[/]" if one.problem is None else "[bold red]not ok[/]"
            said = one.said if one.problem is None else f"{one.problem.code}: {one.problem}"
            table.add_row(one.what, mark, escape(said))
        out.print(table)
    if any(one.problem for one in findings):
        raise typer.Exit(1)


# ---------------------------------------------------------------------- inspect


@app.command()
def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, or folders of a recording.")],
    config: ConfigOption = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a picture of each judged image into this folder. Of images of the same name the second is "
            "called a~2; --json says which picture is whose.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge images from disk through the same steps as a turning part; exit status 0 only if every file was judged."""
    from station.host.recipes import make_recipes
    from station.offline.inspect import Inspected, PictureFolder, inspect_images, wanted_images

    settings = settings_of(config, "simulate.toml")
    configure_logs("error", None)
    recipes = make_recipes(settings)
    pictures = None if picture is None else PictureFolder(picture)
    judged: list[bool] = []
    rows: list[dict[str, Any]] = []
    with progress("images", err if as_json else out) as done:
        for result in inspect_images(list(wanted_images(paths, settings)), settings, recipes, done):
            row = result.as_json()
            if pictures is not None and isinstance(result, Inspected):
                row["picture"] = str(pictures.save(result))
            rows.append(row)
            judged.append(isinstance(result, Inspected))
            if not as_json:
                _print_inspected(result)
    if as_json:
        print(json.dumps(rows, indent=2))
    if not judged or not all(judged):
        raise typer.Exit(1)


def _print_inspected(result: Any) -> None:
    from station.offline.inspect import NotInspected
    from station.view.live import verdict_text

    if isinstance(result, NotInspected):
        out.print(
            f"{escape(str(result.file))}  [bold red]{result.error.code}[/] {escape(str(result.error))}", soft_wrap=True
        )
        return
    decision = result.decision
    line = verdict_text(decision.verdict)
    line.append(f"  {decision.confidence:.3f}", style="default on default")
    if decision.deciding_patch is not None:
        line.append(f"  patch {decision.deciding_patch + 1}", style="dim")
    if decision.fault is not None:
        line.append(f"  {decision.fault.code}: {decision.detail}", style="dim")
    out.print(escape(str(result.file)), "", line, soft_wrap=True, highlight=False)


# ---------------------------------------------------------------------- registers, settings


@app.command()
def registers(
    name: Annotated[str | None, typer.Argument(help="robot, jig or plc; by default all three.")] = None,
    map_format: Annotated[MapFormat, typer.Option("--format", help="How to print the map.")] = MapFormat.TABLE,
    profile: Annotated[
        str | None,
        typer.Option(help="How the maps lie: default, universal_robots, siemens_s7, a file; else as configured."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print the register maps: as a table, for a document (md), for a PLC's import (csv), or as mbpoll commands."""
    from drivers.modbus.listing import list_registers
    from drivers.modbus.profile import load_profile
    from drivers.modbus.register_map import map_of

    settings = settings_of(config, "simulate.toml")
    links = {"robot": settings.robot.link, "jig": settings.jig.link, "plc": settings.plc.link}
    if name is not None and name not in links:
        raise ConfigError("config.bad_option", f"there is no map {name!r}; there are {', '.join(links)}")
    laid = load_profile(profile).maps if profile else list(links)
    for one in [name] if name else [one for one in links if one in laid]:
        link = links[one].model_copy(update={"profile": profile}) if profile else links[one]
        sys.stdout.write(list_registers(map_of(one, settings.inspected, link), map_format.value, link))


@app.command("settings")
def list_settings() -> None:
    """List every key of the configuration with its default and meaning."""
    table = Table("key", "default", "meaning", box=None)
    for key, default, meaning in describe_settings():
        table.add_row(escape(key), escape(default), escape(meaning))
    out.print(table)


@app.command()
def faults() -> None:
    """List every fault: its number on the PLC, its code, what an operator reads, and the station's reaction."""
    from models.errors import EVERY_FAULT

    table = Table("number", "code", "what an operator reads", "reaction", box=None)
    for fault in EVERY_FAULT.values():
        table.add_row(str(fault.number), fault.code, escape(fault.text), fault.reaction.value)
    out.print(table)
