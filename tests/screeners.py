"""Bundles of two tiny networks: one that judges by the mean grey value, and a screener that is asked before it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.engines.processor import instruction_set
from models.manifest import Bundle, hash_files, load_bundle, utc_now, write_manifest
from models.screening.proved import files_run
from models.screening.sections import ChosenOn, ProvenOn, Screener, ScreenerProof
from tests.bundles import GREYS, make_grey_bundle, write_grey_graph

THRESHOLD = 0.99
FILES: Any = {
    "openvino": ("screener.xml", "screener.bin"),
    "openvino-int8": ("screener-int8.xml", "screener-int8.bin"),
}
CHOSEN = ChosenOn(source="pale parts", parts=299, passed_alone=0, target=0.01, confidence=0.95)
PROVEN = ProvenOn(
    source="other parts", parts={"tiny": 2995}, not_passed=2000, passed_alone=0, otherwise=0, overkills=0,
    patches=47920, screened=30000,
)  # fmt: skip


def make_pair(
    folder: Path, greys: Mapping[str, int] = GREYS, screens: Mapping[str, int] = GREYS, **proof: Any
) -> Bundle:
    """A grey bundle with a screener that takes other greys for each class, proven for OpenVINO in f32 and INT8.

    Args:
        folder: A new folder.
        greys: What the bundle's own network takes for each class.
        screens: What the screener takes.
        proof: What the proofs say otherwise.
    """
    make_grey_bundle(folder, greys)
    return add_grey_screener(load_bundle(folder), screens, **proof)


def add_grey_screener(bundle: Bundle, screens: Mapping[str, int] = GREYS, **proof: Any) -> Bundle:
    """The same bundle, in its own folder, with such a screener."""
    folder, manifest = bundle.folder, bundle.manifest
    for names in FILES.values():
        write_grey_graph(folder / names[0], screens, manifest.layout, 0.02)
    screener = Screener(
        network="screener", artefacts=FILES, classes=manifest.classes, geometry=manifest.layout,
        normalisation=manifest.normalisation, source="nothing", parts=1, epochs=1,
    )  # fmt: skip
    return with_screener(bundle, screener, **proof)


def with_screener(bundle: Bundle, screener: Screener, **proof: Any) -> Bundle:
    """The same bundle, in its own folder, with a screener whose files lie there, and proofs of it."""
    folder = bundle.folder
    bare = bundle.manifest.model_copy(update={"screener": screener, "files": hash_files(folder)})
    write_manifest(folder, bare)
    proofs = tuple(proof_of(load_bundle(folder), precision, **proof) for precision in ("f32", "int8"))
    proven = screener.model_copy(update={"proofs": proofs})
    write_manifest(folder, bare.model_copy(update={"screener": proven}))
    return load_bundle(folder)


def proof_of(bundle: Bundle, precision: Any, **said: Any) -> ScreenerProof:
    """A proof of a bundle's screener on OpenVINO, for this processor where nothing else is said."""
    artefact = "openvino-int8" if precision == "int8" else "openvino"
    fields: dict[str, Any] = {
        "engine": "openvino", "precision": precision, "isa": instruction_set(), "threshold": THRESHOLD,
        "chosen": CHOSEN, "proven": PROVEN, "files": files_run(bundle, artefact), "made": utc_now(),
    }  # fmt: skip
    return ScreenerProof(**(fields | said))
