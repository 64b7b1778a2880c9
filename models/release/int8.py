"""Which INT8 artefact a bundle gets: the first one that decides as the network does, or none.

Fewer layers are rounded from recipe to recipe. Where even the widest one decides golden parts otherwise, the bundle is
made without INT8: the station refuses to run it so, and says in which arithmetic it can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import openvino as ov

from models.manifest import (
    ARTEFACT_FILES,
    Manifest,
    Parity,
    Quantisation,
    found_artefacts,
    hash_files,
    load_bundle,
    write_manifest,
)
from models.release.parity import is_broken
from models.release.pictures import Pictures
from models.release.quantise import QuantisationRecipe, calibration_strips, quantise
from models.release.runners import open_variant
from models.release.yardstick import Yardstick


@dataclass(frozen=True, slots=True)
class Int8:
    """What became of INT8.

    Attributes:
        manifest: The bundle's, with the artefact where it has one.
        left_out: How far the last recipe was off, where none decides as the network; else None.
    """

    manifest: Manifest
    left_out: Parity | None


def with_int8(
    folder: Path,
    manifest: Manifest,
    graph: ov.Model,
    pictures: Pictures,
    yardstick: Yardstick,
    recipes: Sequence[QuantisationRecipe],
    seed: int,
) -> Int8:
    """Put the INT8 artefact into a bundle that is being made; a minute or two a recipe.

    Args:
        folder: With all other artefacts.
        manifest: Of these.
        graph: The network in 32 bits.
        pictures: To calibrate with.
        yardstick: What the artefact must decide.
        recipes: To be tried in turn, at least one.
        seed: Of the calibration's exposures.

    Raises:
        ModelError: It cannot be run.
        RecordingError: A golden part cannot be read.
    """
    strips, over, under = calibration_strips(pictures.calibration, seed, pictures.geometry.patches_per_strip)
    place = folder / ARTEFACT_FILES["openvino-int8"][0]
    for recipe in recipes:
        ov.save_model(quantise(graph, strips, recipe), place, compress_to_fp16=True)
        made = Quantisation(
            recipe=recipe.name, source=pictures.source, patches=sum(map(len, strips)), over_exposed=over,
            under_exposed=under, seed=seed,
        )  # fmt: skip
        tried = _sealed(folder, manifest, made)
        answers = yardstick.answers(open_variant(load_bundle(folder), "openvino", "int8"))
        parity = yardstick.parity(answers, ("openvino", "int8"))
        if not is_broken(parity):
            return Int8(tried, None)
    for name in ARTEFACT_FILES["openvino-int8"]:
        (folder / name).unlink()
    return Int8(_sealed(folder, manifest, None), parity)


def _sealed(folder: Path, manifest: Manifest, made: Quantisation | None) -> Manifest:
    """The manifest of what lies in the folder now, written down there."""
    update = {"artefacts": found_artefacts(folder), "files": hash_files(folder), "quantisation": made}
    manifest = manifest.model_copy(update=update)
    write_manifest(folder, manifest)
    return manifest
