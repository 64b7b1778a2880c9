"""`station model screen`: proves what a bundle's screener may pass alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from station.cli.model_options import EngineOption, PrecisionOption, chosen_settings, trained_hashes, unseen_scans
from station.cli.terminal import ConfigOption, DataOption, err, out, progress

if TYPE_CHECKING:
    from models.manifest import Bundle
    from models.screening.sections import ScreenerProof
    from station.core.settings import Settings

PAIRS = "part types without a part to prove it on; no station will run the screener for them"


def screen(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="promoted, a shipped bundle's name, or a bundle's folder.")
    ],
    copy: Annotated[Path, typer.Argument(metavar="COPY", help="A new folder for the bundle with its proof.")],
    choose: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Recording with defective parts by which the threshold is chosen."),
    ],
    prove: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="Other parts, as they come, on which the pair is then proven."),
    ],
    data_sets: Annotated[
        list[Path] | None,
        typer.Option(
            "--data-set", metavar="DIR", help="A data set that either network was trained on. May be repeated."
        ),
    ] = None,
    target: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Share of parts not passed that may pass, by the choice.")
    ] = 0.01,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="With which no more do.")] = 0.95,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Copy a bundle with what parts prove of its screener: what it passes, and that the full network passes it, too.

    By the first parts the lowest threshold is chosen at which so few of those would pass that the full network in f32
    does not pass; on the others both decide. A station runs the pair only where none of 2,995 or more of these passed
    that the full network does not pass. Only card and hash become others; let the copy through the gate.
    """
    from models.release.new_folder import refuse_existing
    from models.release.shelf import chosen_bundle
    from models.screening.proved import write_proven
    from models.screening.words import sentence
    from station.host.bundles import find_shelf

    refuse_existing(copy)
    settings = chosen_settings(config, engine, precision, None)
    found = chosen_bundle(bundle, find_shelf(settings, data))
    proof = _proven(found, settings, (choose, prove), tuple(data_sets or ()), (target, confidence))
    write_proven(found, proof, copy)
    out.print(sentence(proof), markup=False, soft_wrap=True, highlight=False)
    lacking = [kind.name for kind in settings.known_types if kind.name not in proof.proven.parts]
    if lacking:
        err.print(f"{', '.join(lacking)}: {PAIRS}", markup=False, soft_wrap=True, highlight=False)
    out.print(escape(str(copy)), soft_wrap=True, highlight=False)


def _proven(
    bundle: "Bundle",
    settings: "Settings",
    sets: "tuple[list[Path], list[Path]]",
    data_sets: "tuple[Path, ...]",
    claim: "tuple[float, float]",
) -> "ScreenerProof":
    import numpy as np

    from models.engines import ARTEFACT_OF, make_engine, make_pair
    from models.evaluation.figures.fixed_sequence import Claim
    from models.manifest import utc_now
    from models.meaning import check_classes
    from models.novelty.file import short_hashes
    from models.screening.proved import files_run
    from models.screening.proving import THRESHOLDS, choose, count
    from models.screening.sections import ScreenerProof
    from station.flow.pixels.library import library
    from station.offline.screening import PairedParts, Rivals

    library()
    check_classes(bundle.manifest, settings.table)
    model, trained = settings.model, trained_hashes(bundle, data_sets)
    f32 = model.model_copy(update={"precision": "f32", "screener": False})
    full = make_engine(bundle, f32)
    by, on = sets
    first = PairedParts(Rivals(make_pair(bundle, model, THRESHOLDS[0]), full), settings, trained)
    with progress("parts to choose by") as done:
        candidates = list(first.screenable(unseen_scans(settings, by, None), done))
    threshold, chosen = choose(candidates, _named(by), Claim(*claim))
    pair = make_pair(bundle, model, threshold)
    others = np.concatenate([trained, short_hashes(sorted(first.seen))])
    second = PairedParts(Rivals(pair, full), settings, others)
    with progress("parts to prove it on") as done:
        proven = count(second.compared(unseen_scans(settings, on, None), done), _named(on))
    for line in (*first.left_out, *second.left_out):
        err.print(f"Left out: {line}", markup=False, soft_wrap=True, highlight=False)
    return ScreenerProof(
        engine=model.engine,
        precision=model.precision,
        isa=pair.engine.isa,
        threshold=threshold,
        chosen=chosen,
        proven=proven,
        files=files_run(bundle, ARTEFACT_OF[model.engine, model.precision]),
        made=utc_now(),
    )


def _named(folders: "list[Path]") -> str:
    return ", ".join(folder.name for folder in folders)
