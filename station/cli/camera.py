"""`station camera`: what an engineer does on the first day with a new camera."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import JsonOption, err, out
from station.core.camera_settings import CameraSettings
from station.core.errors import ConfigError
from station.core.part import PartType
from station.core.settings import Settings, load_settings
from station.core.table import default_geometry

if TYPE_CHECKING:
    from drivers.camera.survey import FoundFeature
    from station.host.camera_trial import Grab

camera_app = typer.Typer(
    help="Find cameras, list their features, and grab from them, without a cell.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

CtiOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--cti", metavar="FILE",
        help="GenTL producer; may be given more than once. By default those of --config, or all in the folders of "
        "GENICAM_GENTL64_PATH.",
    ),
]  # fmt: skip
SerialOption = Annotated[
    str | None,
    typer.Option("--serial", metavar="NUMBER", help="Serial number; needed where there are several cameras."),
]
CameraConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration whose [camera] is meant.")
]


def _camera(config: Path | None, cti: list[Path] | None, serial: str | None) -> CameraSettings:
    camera = load_settings(config).camera if config is not None else CameraSettings(max_line_rate_hz=1.0)
    changes: dict[str, Any] = {}
    if cti:
        changes["producers"] = [str(path) for path in cti]
    if serial is not None:
        changes["serial_number"] = serial
    return camera.model_copy(update=changes)


@camera_app.command("list")
def camera_list(cti: CtiOption = None, config: CameraConfigOption = None, as_json: JsonOption = False) -> None:
    """List the cameras of every producer; exit status 1 if there is none or a producer failed."""
    from station.host.devices import find_cameras

    found = find_cameras(_camera(config, cti, None))
    if as_json:
        print(json.dumps({"devices": [asdict(one) for one in found.devices], "problems": found.problems}, indent=2))
    else:
        table = Table("model", "serial number", "vendor", "access", "transport", box=None)
        table.add_column("producer", overflow="fold")
        for one in found.devices:
            cells = (one.model, one.serial_number, one.vendor, one.access, one.transport, one.producer)
            table.add_row(*(escape(cell) for cell in cells))
        if found.devices:
            out.print(table)
        else:
            err.print("No camera was found. Check its cable and power.")
        for producer, problem in found.problems.items():
            err.print(f"[bold red]not usable[/] {escape(producer)}: {escape(problem)}", soft_wrap=True)
    if found.problems or not found.devices:
        raise typer.Exit(1)


@camera_app.command("features")
def camera_features(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORD...", help="Only features with one of these words in their names."),
    ] = None,
    cti: CtiOption = None,
    serial: SerialOption = None,
    config: CameraConfigOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what the camera's maker marks as invisible.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List a camera's features: value, range or choices, unit, access, and what its maker says of them.

    Names and kinds are those that camera.setup takes. A feature behind a selector is shown as the selector stands now.
    """
    from station.host.devices import choose_producer, find_camera_features

    camera = choose_producer(_camera(config, cti, serial), _tell_left_out)
    tree = [
        one for one in find_camera_features(camera)
        if (everything or one.visibility != "invisible") and _is_meant(one, words or [])
    ]  # fmt: skip
    if as_json:
        print(json.dumps([one.as_row() for one in tree], indent=2))
        return
    table = Table("feature", "value", "range or choices", "access", "kind", "meaning", box=None)
    category = None
    for one in tree:
        if one.category != category:
            category = one.category
            table.add_row(f"[bold]{escape(category)}[/]")
        name = f"  {one.name}" + (f" \\[{', '.join(one.selectors)}]" if one.selectors else "")
        value = "" if one.value is None else f"{one.value} {one.limits.unit}".rstrip()
        table.add_row(name, escape(value), escape(_range(one)), one.access, one.kind, escape(one.meaning))
    out.print(table)


def _tell_left_out(told: str) -> None:
    err.print(f"[bold red]not usable, left out[/] {escape(told)}", soft_wrap=True)


def _is_meant(feature: "FoundFeature", words: list[str]) -> bool:
    return not words or any(word.lower() in feature.name.lower() for word in words)


def _range(feature: "FoundFeature") -> str:
    if feature.entries:
        return ", ".join(feature.entries)
    limits = feature.limits
    if limits.lowest is None or limits.highest is None:
        return ""
    step = f", step {limits.step}" if (limits.step or 1) > 1 else ""
    return f"{_number(limits.lowest)} to {_number(limits.highest)}{step}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}"


@camera_app.command("grab")
def camera_grab(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where the image goes, as PNG.")],
    cti: CtiOption = None,
    serial: SerialOption = None,
    config: CameraConfigOption = None,
    part_type: Annotated[
        str | None,
        typer.Option("--type", metavar="NAME", help="Part type that the camera is set for; with --config."),
    ] = None,
    wishes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Write a feature first; may be given more than once."),
    ] = None,
    blocks: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many blocks of lines; by default those of one turn.")
    ] = None,
    first_frame_id: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="See camera.first_frame_id: a number, or any.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds to wait for the first block.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Grab blocks into a PNG, with an account of every line; exit status 1 if lines are missing.

    With --config the camera is set up as in the cell and waits for the index pulse where the set-up says so; without,
    it runs as it stands, in blocks of as many lines as the geometry of housings has.
    """
    from station.host.camera_trial import grab, save_image, trial_settings
    from station.host.devices import choose_producer

    camera = choose_producer(_camera(config, cti, serial), _tell_left_out)
    camera = camera.model_copy(update={"block_timeout_s": timeout})
    if first_frame_id is not None:
        camera = camera.model_copy(update={"first_frame_id": _first_frame_id(first_frame_id)})
    kind = _part_type(load_settings(config), part_type) if config is not None else None
    geometry = default_geometry().value() if kind is None else kind.geometry
    blocks = blocks or geometry.blocks_per_turn
    settings = trial_settings(camera, wishes or [], geometry, blocks, configured=kind is not None)
    result = asyncio.run(grab(settings, geometry, blocks, None if kind is None else kind.recipe))
    if result.blocks:
        save_image(result.image, target)
    if as_json:
        print(json.dumps({"file": str(target) if result.blocks else None, **result.as_json()}, indent=2))
    else:
        _print_account(result, target)
    if not result.complete:
        raise typer.Exit(1)


def _first_frame_id(text: str) -> int | str:
    if text == "any" or text.isdecimal():
        return "any" if text == "any" else int(text)
    raise ConfigError("config.bad_option", f"--first-frame-id {text}: write a number from 0, or any")


def _part_type(settings: Settings, name: str | None) -> PartType:
    if name is not None and name not in settings.part_types:
        known = ", ".join(settings.part_types)
        raise ConfigError("config.bad_option", f"--type {name}: there is no such part type; configured are {known}")
    return settings.type_named(name or next(iter(settings.part_types)))


def _print_account(result: "Grab", target: Path) -> None:
    account = result.as_json()
    table = Table("block", "lines", "ms from last line to arrival", "lowest grey", "mean", "highest", box=None)
    for row in account["blocks"]:
        grey = row["grey"] or {"lowest": "", "mean": "", "highest": ""}
        table.add_row(*map(str, (row["frame_id"], row["delivered_lines"], row["arrival_ms"], *grey.values())))
    if result.blocks:
        out.print(table)
        size = f"{result.image.shape[1]} x {result.image.shape[0]} px"
        out.print(f"{escape(str(target))}: {size}", highlight=False, soft_wrap=True)
    if result.trouble is not None:
        err.print(f"[bold red]{result.trouble.code}[/] {escape(str(result.trouble))}", soft_wrap=True)
    if result.misnumbered:
        err.print("No block is missing between those that came, but they are numbered otherwise than expected: "
                  "see camera.first_frame_id, and --first-frame-id.")  # fmt: skip
    mark = "[green]complete[/]" if result.complete else "[bold red]incomplete[/]"
    missing = f", missing blocks: {', '.join(map(str, result.missing))}" if result.missing else ""
    out.print(
        f"{mark}: {result.delivered_lines} of {account['expected_lines']} lines in {len(result.blocks)} of "
        f"{result.asked} blocks, {result.discarded} thrown away as incomplete{missing}", highlight=False,
    )  # fmt: skip
