"""`station model …`: export a network, guard the way into the station, and choose the bundle."""

import getpass
import json
import socket
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from models.version import INSTALL_TRAIN
from station.cli.model_options import EngineOption, PrecisionOption, chosen_settings
from station.cli.terminal import REFUSED, ConfigOption, DataOption, JsonOption, LabelsOption, err, out, settings_of
from station.core.errors import ConfigError, StationError
from station.core.geometry import Geometry
from station.core.settings import Settings

if TYPE_CHECKING:
    from models.evaluation.measuring.evaluation import Evaluation
    from models.release.export import Choices
    from models.release.history import Entry
    from models.release.pictures import Draw
    from models.release.shelf import Shelf
    from station.host.promoting import Released

EXTRA = ("torch", "nncf", "onnx", "onnxscript")
NEXT_START = "The station uses it from its next start on."
NO_TRAINING = (
    "But --data is no data set with 200 training patches: the bundle cannot tell parts unlike all that was trained on."
)

UNPROVEN = "Its screener is not proven yet: no station runs it before `station model screen`."

BundleArgument = Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle's folder, or a shipped bundle's name.")]
By = Annotated[str, typer.Option(help="Who decides; by default the user and the machine.")]


# ---------------------------------------------------------------------- export


def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT", help="best.pt of `station model train`; or, with --screener, a bundle's folder."
        ),
    ],
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A new folder; its name is the bundle's.")],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Data set, or a recording not trained on: patches to calibrate and to fit with."
        ),
    ],
    golden: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Recordings not trained on, or data sets' test pictures, for parity and figures; not of a bundle.",
        ),
    ] = None,
    screener: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="best.pt of a small network that is asked first; `station model screen` proves it."
        ),
    ] = None,
    evaluation: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="evaluation.json of the checkpoint, for the card.")
    ] = None,
    passing: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The class of good parts; by default what the data set said, or [[classes]]."
        ),
    ] = None,
    part_type: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Its geometry is the network's where the data set tells none; by default [geometry].",
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Where the training pictures come from, for people.")] = None,
    golden_source: Annotated[str | None, typer.Option(help="What the golden recordings are, for people.")] = None,
    labels: LabelsOption = None,
    number: Annotated[int, typer.Option(min=1, help="Counts the bundles of this network.")] = 1,
    licence: Annotated[str, typer.Option(help="SPDX name of the weights' licence.")] = "Apache-2.0",
    calibration: Annotated[int, typer.Option(min=32, help="Patches to calibrate INT8 with.")] = 400,
    validation: Annotated[int, typer.Option(min=32, help="Patches to fit the temperature on.")] = 2000,
    known: Annotated[
        int, typer.Option(min=200, help="Training patches, of a data set, that tell known parts from unknown ones.")
    ] = 3000,
    recipe: Annotated[
        str, typer.Option(help="How INT8 is made: all, wide-head, wide-ends, or auto: the first that decides as f32.")
    ] = "auto",
    min_confidence: Annotated[
        float | None,
        typer.Option(min=0.2, max=0.999, help="Below it a part goes to review; by default the configured."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw and of the calibration's exposures.")] = 1,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a bundle of a checkpoint: an artefact for every engine, temperature, parity, figures and card.

    A network that the chosen engine, by default the configured one, cannot run in the chosen arithmetic is refused. The
    bundle is there whole or not at all; one that is there already is never touched.
    """
    _need_training_packages()
    from models.novelty.learnt import draw_training
    from models.release.export import Choices, Fallback, export_bundle, read_trained, refuse_unserved
    from models.release.golden import read_golden
    from models.release.new_folder import refuse_existing
    from models.release.pictures import Draw, read_pictures
    from models.release.quantise import recipes_named
    from models.release.without_masks import WithoutMasks
    from station.offline.measuring import StationCutter
    from station.offline.people import open_people

    refuse_existing(bundle)
    settings = chosen_settings(config, engine, precision, None)
    least = min_confidence or settings.decision.min_confidence
    choices = Choices(
        number, licence, recipes_named(recipe), least, seed, tuple(map(_read_evaluation, evaluation or ()))
    )
    draw = Draw(calibration, validation, seed)
    if checkpoint.is_dir():
        if screener is None:
            raise ConfigError("config.bad_option", f"{checkpoint} is a folder: give --screener, or a checkpoint")
        _add_screener(checkpoint, screener, (data, draw, known), choices, settings, bundle)
        return
    if not golden:
        raise ConfigError("config.bad_option", "give parts that the network was not trained on: --golden")
    trained = read_trained(checkpoint, source, Fallback(passing, settings.table, _geometry(settings, part_type)))
    refuse_unserved(trained.name, settings.model.engine, settings.model.precision)
    ways = WithoutMasks(open_people(settings, labels), partial(StationCutter, settings))
    right = read_golden(golden, golden_source, trained.meaning, trained.geometry, ways)
    pictures = read_pictures(data, draw, trained.meaning, trained.geometry, ways)
    if not len(pictures.validation):
        err.print("temperature 1: no patch of a defect has a class of its own", highlight=False)
    training = draw_training(data, known, seed)
    with TemporaryDirectory(prefix=f".{bundle.name}.", dir=bundle.parent if bundle.parent.is_dir() else None) as room:
        alone = bundle if screener is None else Path(room) / bundle.name
        manifest = export_bundle(trained, pictures, right, choices, alone, training)
        if screener is not None:
            _add_screener(alone, screener, (data, draw, known), choices, settings, bundle)
    kind = manifest.parity[0].kind if manifest.parity else "parts"
    table = Table("engine", "precision", f"{kind} decided otherwise than by torch", "largest difference", box=None)
    for one in manifest.parity:
        changed = f"{one.changed_parts} of {one.parts}"
        table.add_row(one.engine, one.precision, changed, f"{one.largest_difference:.2g}")
    out.print(table)
    if left_out := manifest.without_int8:
        err.print(f"But {left_out}.", markup=False, soft_wrap=True, highlight=False)
    if training is None:
        err.print(NO_TRAINING, markup=False, soft_wrap=True, highlight=False)
    if screener is None:
        out.print(escape(str(bundle)), soft_wrap=True, highlight=False)


def _add_screener(
    folder: Path,
    checkpoint: Path,
    pictures_of: "tuple[Path, Draw, int]",
    choices: "Choices",
    settings: Settings,
    bundle: Path,
) -> None:
    """Copy the bundle in a folder with a screener of a checkpoint; `pictures_of` names data set, draw and patches."""
    from models.manifest import load_bundle
    from models.meaning import meaning_of
    from models.novelty.learnt import draw_training
    from models.release.export import Fallback, read_trained
    from models.release.pictures import read_pictures
    from models.screening.making import Learnt, add_screener

    found = load_bundle(folder)
    manifest, (data, draw, known) = found.manifest, pictures_of
    meaning = meaning_of(manifest.classes, settings.table, str(folder))
    trained = read_trained(checkpoint, None, Fallback(manifest.passing, settings.table, manifest.layout))
    pictures = read_pictures(data, draw, meaning, manifest.layout)
    add_screener(found, Learnt(trained, pictures, draw_training(data, known, draw.seed)), choices, bundle)
    out.print(UNPROVEN, markup=False, soft_wrap=True, highlight=False)
    out.print(escape(str(bundle)), soft_wrap=True, highlight=False)


def _geometry(settings: Settings, part_type: str | None) -> Geometry:
    if part_type is None:
        return settings.geometry.value()
    if part_type not in settings.part_types:
        known = ", ".join(settings.part_types)
        raise ConfigError("config.bad_option", f"--part-type {part_type}: configured are {known}")
    return settings.part_types[part_type].part_type(part_type, settings.geometry).geometry


def _need_training_packages() -> None:
    if any(find_spec(name) is None for name in EXTRA):
        hint = f"this command needs the training packages; in the project's folder: {INSTALL_TRAIN}"
        err.print(hint, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(REFUSED)


def _read_evaluation(path: Path) -> "Evaluation":
    from pydantic import ValidationError

    from models.evaluation.measuring.evaluation import Evaluation

    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError("config.file_failed", f"--evaluation {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise ConfigError("config.bad_option", f"--evaluation {path}: {where}: {first['msg']}") from error


# ---------------------------------------------------------------------- card


def card(
    bundle: BundleArgument,
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A new folder for the bundle with its new card.")],
    evaluation: Annotated[
        list[Path], typer.Option(metavar="FILE", help="evaluation.json of this bundle; may be repeated.")
    ],
    source: Annotated[
        list[str] | None, typer.Option(help="What it was measured on, for people; one for each evaluation.")
    ] = None,
) -> None:
    """Copy a bundle with a card that holds what was measured on it; only card and hash become others."""
    from models.manifest import load_bundle
    from models.release.recard import recard
    from models.weights import bundle_folder

    if source and len(source) != len(evaluation):
        raise ConfigError("config.bad_option", f"{len(evaluation)} --evaluation, but {len(source)} --source")
    read = [_read_evaluation(path) for path in evaluation]
    told = [_measured_on(one, name) for one, name in zip(read, source, strict=True)] if source else read
    recard(load_bundle(bundle_folder(bundle)), told, copy)
    typer.echo(f"{load_bundle(copy).identity} in {copy}")


def _measured_on(evaluation: "Evaluation", name: str) -> "Evaluation":
    return evaluation.model_copy(update={"source": evaluation.source.model_copy(update={"name": name})})


# ---------------------------------------------------------------------- gate


def gate(
    candidate: Annotated[str, typer.Argument(metavar="NEW", help="The new bundle's folder.")],
    golden: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Recording of golden parts, every one to be judged rightly; may be repeated."),
    ],
    against: Annotated[
        str, typer.Option(metavar="CURRENT", help="The bundle it would replace: promoted, a name, or a folder.")
    ] = "promoted",
    tests: Annotated[
        list[Path] | None,
        typer.Option("--test", metavar="DIR", help="A further recording that is counted, too; may be repeated."),
    ] = None,
    overkill_budget: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the good parts that need not pass.")
    ] = 0.01,
    labels: LabelsOption = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the report goes; by default where promote looks for it.")
    ] = None,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the same parts with a new bundle and the present one, and say whether the new one may replace it.

    Both run on the configured engine, in the configured arithmetic, with the configured crop and least confidence.
    Where another arithmetic is given, `promote` wants it in the configuration.
    Exit status: 0 it may, 1 it is refused, 2 the gate could not be run.
    """
    from models.release.gate import Terms, judge_candidate
    from models.release.gate_report import explain
    from models.release.runners import Asked
    from models.release.shelf import chosen_bundle
    from models.weights import bundle_folder
    from station.offline.measuring import StationCutter, novelty_of, passes_from
    from station.offline.people import open_people

    settings = chosen_settings(config, None, precision, None)
    shelf, model, least = _shelf(config, data), settings.model, settings.decision.min_confidence
    cutter_of, people = partial(StationCutter, settings), open_people(settings, labels)
    asked: Asked = "first" if model.screener else "never"
    guard = partial(novelty_of, settings=settings), partial(passes_from, settings=settings)
    terms = Terms(
        model.engine, model.precision, settings.table, least, overkill_budget, cutter_of, people, *guard, asked
    )
    present = chosen_bundle(against, shelf)
    found = judge_candidate(bundle_folder(candidate), present, golden, tests or (), terms)
    if found.new.sha256 is not None:
        shelf.keep_verdict(found, report)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        typer.echo("\n".join(explain(found)))
    if not found.passed:
        raise typer.Exit(1)


# ---------------------------------------------------------------------- list, show, promote, rollback


def list_bundles(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the shipped and the promoted bundles and the history of promotions."""
    shelf = _shelf(config, data)
    active, history, rows = shelf.active(), shelf.history(), _rows(shelf)
    if as_json:
        lines = [entry.model_dump(mode="json") for entry in history]
        typer.echo(json.dumps({"active": active.sha256, "bundles": rows, "history": lines}, indent=2))
        return
    out.print(_bundle_table(rows, _used(shelf)))
    if history:
        out.print(_history_table(history))
    if doubt := shelf.doubt():
        err.print(f"But {doubt}.", markup=False, soft_wrap=True, highlight=False)


def _used(shelf: "Shelf") -> Path:
    """Where the promoted bundle lies: on the shelf, or, before any promotion, in the product."""
    from models.weights import SHIPPED, bundle_folder

    return shelf.place(shelf.active()) if shelf.history() else bundle_folder(SHIPPED)


def _bundle_table(rows: list[dict[str, str | None]], used: Path) -> Table:
    table = Table("", "bundle", "hash", "network", "where", "state", box=None)
    for row in rows:
        mark = "→" if row["where"] == str(used) else ""
        cells = (row["bundle"], (row["sha256"] or "")[:12], row["network"], row["where"], row["problem"] or "ok")
        table.add_row(mark, *(escape(cell or "") for cell in cells))
    return table


def _history_table(history: "tuple[Entry, ...]") -> Table:
    table = Table("when", "who", "what", "bundle", "hash", "instead of", "gate", "why", box=None)
    for entry in history:
        gated = (entry.gate or "without")[:12]
        cells = (entry.by, entry.action, entry.bundle, entry.sha256[:12], entry.replaces, gated, entry.reason)
        table.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}", *(escape(cell) for cell in cells))
    return table


def _rows(shelf: "Shelf") -> list[dict[str, str | None]]:
    from models.manifest import load_bundle
    from models.weights import SHIPPED, bundle_folder

    rows: list[dict[str, str | None]] = []
    for folder in (bundle_folder(SHIPPED), *shelf.bundles()):
        row: dict[str, str | None] = {"bundle": folder.name, "sha256": None, "network": None, "where": str(folder)}
        try:
            found = load_bundle(folder)
            row |= {"bundle": found.identity.name, "sha256": found.identity.sha256, "network": found.manifest.network}
            row["problem"] = None
        except StationError as error:
            row["problem"] = f"{error.code}: {error.detail}"
        rows.append(row)
    return rows


def show(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="promoted, a shipped bundle's name, or a bundle's folder.")
    ] = "promoted",
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a bundle's model card, with what is promised of it as it stands now; with --json its manifest."""
    from models.release.shelf import chosen_bundle
    from station.host.bundles import find_shelf
    from station.host.promise import card_of

    settings = settings_of(config, "simulate.toml")
    found = chosen_bundle(bundle, find_shelf(settings, data))
    if as_json:
        typer.echo(found.manifest.model_dump_json(indent=2))
        return
    typer.echo(card_of(found, settings, data))
    typer.echo(f"SHA-256 of the manifest: {found.identity.sha256}")


def promote(
    bundle: BundleArgument,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The gate's report; by default where the gate left it.")
    ] = None,
    without_gate: Annotated[
        str | None, typer.Option(metavar="REASON", help="Do without the gate; the reason is written down.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    by: By = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Let a bundle that has passed the gate into the station; it is used from the station's next start on."""
    from models.weights import bundle_folder
    from station.host.promoting import Decided, let_in

    if report is not None and without_gate is not None:
        raise ConfigError("config.bad_option", "--report and --without-gate exclude each other")
    gated = without_gate is None
    decided = Decided(reason if without_gate is None else without_gate, by or _who())
    settings = settings_of(config, "simulate.toml")
    _tell(let_in(settings, data, bundle_folder(bundle), report, decided, gated=gated), "is promoted")


def rollback(
    reason: Annotated[str, typer.Option(help="Why, for the history.")],
    to: Annotated[
        str | None, typer.Option(metavar="BUNDLE", help="Name, or first digits of the hash, of a bundle used before.")
    ] = None,
    by: By = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Go back to the bundle that the present one replaced, or to any that was used before."""
    from station.host.promoting import Decided, go_back

    settings = settings_of(config, "simulate.toml")
    _tell(go_back(settings, data, to, Decided(reason, by or _who())), "is used again")


def _tell(released: "Released", what: str) -> None:
    entry = released.entry
    typer.echo(f"{entry.bundle} {entry.sha256[:12]} {what} in place of {entry.replaces}. {NEXT_START}")
    for doubt in released.doubts:
        err.print(f"But {doubt}.", markup=False, soft_wrap=True, highlight=False)


def _shelf(config: Path | None, data: Path | None) -> "Shelf":
    from station.host.bundles import find_shelf

    return find_shelf(settings_of(config, "simulate.toml"), data)


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
