"""`station model promise`: proves on defective parts how many of them pass at the most."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from station.cli.model_options import trained_hashes, unseen_scans
from station.cli.terminal import ConfigOption, DataOption, err, out, progress, settings_of
from station.core.errors import ConfigError
from station.core.promise import PartsKind
from station.core.settings import Settings

if TYPE_CHECKING:
    from models.manifest import Bundle
    from models.promise.proving import DefectivePart


def promise(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="promoted, a shipped bundle's name, or a bundle's folder.")
    ],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A new folder for the bundle with its promise.")],
    parts: Annotated[
        PartsKind,
        typer.Option(help="What the parts are: real, of a line; or rendered, which says nothing of real ones."),
    ],
    recordings: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="DIR", help="Recording with defective parts not trained on; may be repeated."),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            metavar="DATA", help="A station's data folder: archived scans of parts that people have labelled."
        ),
    ] = None,
    data_sets: Annotated[
        list[Path] | None,
        typer.Option(
            "--data-set",
            metavar="DIR",
            help="A further data set that was trained on; the bundle itself may know that of its export. "
            "May be repeated.",
        ),
    ] = None,
    target: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Share of defective parts that may pass, at the most.")
    ] = 0.01,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="With which no more do.")] = 0.95,
    source: Annotated[str | None, typer.Option(help="What the parts are, for people; by default the folders.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Copy a bundle with what defective parts prove of it: a part then passes only from the proven confidence on.

    Where nothing can be proven it says how many more defective parts that takes, and nothing else becomes another.
    Each part counts once, by its first scan; those that were trained on, or that the station would refuse, are left
    out. Only card, promise and hash become others; let the copy through the gate.
    """
    from models.evaluation.figures.fixed_sequence import Claim
    from models.promise.proving import Stated, prove_types, write_promised
    from models.release.new_folder import refuse_existing
    from models.release.shelf import chosen_bundle
    from models.screening.demands import measured_by
    from station.host.bundles import find_shelf

    refuse_existing(copy)
    _require_stated_truly(parts, recordings or ())
    settings = settings_of(config, "simulate.toml")
    found = chosen_bundle(bundle, find_shelf(settings, data))
    judged = _judged(found, settings, tuple(recordings or ()), records, tuple(data_sets or ()))
    folders = [*(recordings or ()), *([records] if records else ())]
    told = source or ", ".join(folder.name for folder in folders)
    by = measured_by(found, settings.model)
    kinds = [kind.name for kind in settings.known_types if kind.geometry == found.manifest.layout]
    seen = [name for name in kinds if any(part.part_type == name for part in judged)]
    types = prove_types(judged, Stated(Claim(target, confidence), parts, told, by), seen or kinds)
    manifest = write_promised(found, types, judged, copy)
    for one in manifest.promises.values():
        out.print(one.sentence, markup=False, soft_wrap=True, highlight=False)
    out.print(escape(str(copy)), soft_wrap=True, highlight=False)


def _require_stated_truly(parts: PartsKind, recordings: "tuple[Path, ...] | list[Path]") -> None:
    from models.dataset.scans import TRUTH_NAME

    drawn = [folder for folder in recordings if (folder / TRUTH_NAME).is_file()]
    if parts == "real" and drawn:
        raise ConfigError("config.bad_option", f"{drawn[0]} was drawn, it has {TRUTH_NAME}: say --parts rendered")


def _judged(
    bundle: "Bundle",
    settings: Settings,
    recordings: "tuple[Path, ...]",
    records: Path | None,
    data_sets: "tuple[Path, ...]",
) -> "list[DefectivePart]":
    from models.engines import make_engine
    from models.meaning import check_classes
    from station.flow.pixels.library import library
    from station.offline.defective import DefectiveParts

    library()
    check_classes(bundle.manifest, settings.table)
    scans = unseen_scans(settings, recordings, records)
    defective = DefectiveParts(make_engine(bundle, settings.model), settings, trained_hashes(bundle, data_sets))
    with progress("defective parts") as done:
        judged = defective.of(scans, done)
    for line in defective.left_out:
        err.print(f"Left out: {line}", markup=False, soft_wrap=True, highlight=False)
    return judged
