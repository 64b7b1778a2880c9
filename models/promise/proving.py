"""Proves of defective parts how many pass at the most, and writes a copy of a bundle that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from models.chapters import with_chapter
from models.evaluation.figures.fixed_sequence import Claim, prove
from models.manifest import CARD, Bundle, Manifest, Sha256, hash_files, utc_now, write_manifest
from models.promise.sections import PROMISE, PromiseFile, ProvenType
from models.promise.words import chapter
from models.release.new_folder import new_folder
from station.core.promise import PartsKind
from station.core.section import Section


@dataclass(frozen=True, slots=True)
class DefectivePart:
    """A defective part that was judged.

    Attributes:
        part_type: Its type.
        sha256: Of its scan.
        confidence: With which it would pass; None where it is called a defect.
    """

    part_type: str
    sha256: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Stated:
    """What the parts are, and what is to be proven of them.

    Attributes:
        claim: Target and confidence.
        kind: Real or rendered.
        source: Where they are from, for people.
        by: Engine and precision.
    """

    claim: Claim
    kind: PartsKind
    source: str
    by: str


class JudgedScan(Section):
    """A part on which a promise rests."""

    sha256: Sha256 = Field(..., description="Of its scan.")
    confidence: Annotated[float | None, Field(ge=0, le=1, description="With which it would pass; None: a defect.")]


class PromiseDocument(Section):
    """The whole of `promise.json`."""

    format: Literal[1] = 1
    types: dict[str, tuple[JudgedScan, ...]] = Field(..., description="By part type.")


def prove_types(parts: Sequence[DefectivePart], stated: Stated, part_types: Sequence[str]) -> dict[str, ProvenType]:
    """What the parts prove of each part type; of a type without a part that nothing is proven.

    Args:
        parts: Each part once.
        stated: What they are, and what is to be proven.
        part_types: The types that the network judges.
    """
    return {name: _proven([part for part in parts if part.part_type == name], stated) for name in part_types}


def _proven(parts: Sequence[DefectivePart], stated: Stated) -> ProvenType:
    passed = [part.confidence for part in parts if part.confidence is not None]
    proof = prove(passed, len(parts), stated.claim)
    return ProvenType(
        target=stated.claim.target,
        confidence=stated.claim.confidence,
        threshold=proof.threshold,
        parts=proof.parts,
        escapes=proof.escapes,
        missing=proof.missing,
        kind=stated.kind,
        source=stated.source,
        made=utc_now(),
        measured_by=stated.by,
    )


def write_promised(
    bundle: Bundle, types: Mapping[str, ProvenType], parts: Sequence[DefectivePart], folder: Path
) -> Manifest:
    """Copy a bundle with what was proven of it, in place of all that it said before.

    Args:
        bundle: Keeps its name and every file but promise, card and manifest.
        types: What was proven of each part type.
        parts: The parts on which that rests.
        folder: Where the copy goes; nothing may be there.

    Returns:
        The copy's manifest; its hash is another one.

    Raises:
        ModelError: `model.exists`, `config.file_failed`, or a file of the bundle cannot be used.
    """
    manifest = bundle.manifest.model_copy(update={"promise": PromiseFile(types=dict(types))})
    with new_folder(folder) as staged:
        for name in bundle.manifest.files.keys() - {PROMISE, CARD}:
            (staged / name).write_bytes(bundle.read(name))
        (staged / PROMISE).write_text(_document(parts, types).model_dump_json(indent=1) + "\n", "utf-8")
        if CARD in bundle.manifest.files:
            (staged / CARD).write_text(with_chapter(bundle.read(CARD).decode(), chapter(manifest)), "utf-8")
        manifest = manifest.model_copy(update={"files": hash_files(staged)})
        write_manifest(staged, manifest)
    return manifest


def _document(parts: Sequence[DefectivePart], types: Mapping[str, ProvenType]) -> PromiseDocument:
    rows = {
        name: tuple(
            JudgedScan(sha256=part.sha256, confidence=part.confidence) for part in parts if part.part_type == name
        )
        for name in types
    }
    return PromiseDocument(types=rows)
