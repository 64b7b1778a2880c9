"""The manifest of a model bundle: what the network is, how it is fed, what it reached, and the hash of every file.

BUNDLE/manifest.json      this manifest; its own SHA-256 identifies the model in every record
BUNDLE/model.xml, .bin    the network for OpenVINO in f32 and bf16
BUNDLE/int8.xml, .bin     the same for OpenVINO, quantised to INT8
BUNDLE/model.onnx         the same for ONNX Runtime
BUNDLE/network.pt         its weights for torch, a state dict
BUNDLE/novelty.npz        what patches of the training were like, so that unknown parts can be told
BUNDLE/calibration.json   how unlike that good parts are which were not trained on, by part type
BUNDLE/screener…          the same artefacts of the small network that is asked first, and its own `novelty.npz`
BUNDLE/promise.json       defective parts that were not trained on, and with what confidence each would pass
BUNDLE/card.md            the model card: what it was made from, what it can do, and what it must not be used for

All artefacts but torch's take raw grey values, uint8 (patches of a strip, height, width), and answer probabilities,
float32 (patches of a strip, classes), and, from format 4 on, what the network saw of each patch, float32 (patches of a
strip, values): scaling, temperature and softmax are inside. A bundle need not have all of them.
Every artefact holds the same weights: they were rounded to 16 bits once, before any of them was made.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from models.manifest_formats import in_format_5
from models.novelty.sections import CalibrationFile, Features, NoveltyReference
from models.promise.sections import PromiseFile
from models.screening.sections import Artefact, Screener
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.part import ModelIdentity
from station.core.promise import Promise
from station.core.section import Section
from station.core.table import Name as ClassName

__all__ = [
    "ARTEFACT_FILES", "CARD", "GRAPH", "MANIFEST", "WEIGHTS", "Artefact", "Bundle", "Data", "Figures", "Kind",
    "Manifest", "Parity", "Quantisation", "ScanGeometry", "Sha256", "Thresholds", "found_artefacts", "hash_files",
    "load_bundle", "utc_now", "write_manifest",
]  # fmt: skip

MANIFEST, CARD = "manifest.json", "card.md"
GRAPH, WEIGHTS = "model.xml", "model.bin"

ARTEFACT_FILES: dict[Artefact, tuple[str, ...]] = {
    "openvino": (GRAPH, WEIGHTS),
    "openvino-int8": ("int8.xml", "int8.bin"),
    "onnx": ("model.onnx",),
    "torch": ("network.pt",),
}
"""The files of each artefact, in the order in which its engine reads them."""

MEASURED_SINCE = {"bd84ff346fadab834e5e2ef322f4ccaca4915314145289c8a144f8618d236058": 94.0}
"""Light levels of shipped bundles that were made before manifests said them, by the SHA-256 of the manifest.

inception-cnn-3: the median level of the 13 parts of the bundled recording, measured 2026-11-30; of 60 others it is 90.
"""


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]


class ScanGeometry(Section):
    """How patches are made from a scan; see `station.core.geometry.Geometry`."""

    lines_per_turn: int = Field(..., ge=1, description="Lines of one turn.")
    lines_per_block: int = Field(..., ge=1, description="Lines that become one strip.")
    patch_px: int = Field(..., ge=1, description="Height and width of a patch.")
    patches_per_strip: int = Field(..., ge=1, description="Patches side by side; the network takes so many at a time.")
    interpolation: Annotated[
        Literal["INTER_AREA"], Field(description="How a block is resized to a strip; the station knows no other way.")
    ] = "INTER_AREA"

    @classmethod
    def of(cls, geometry: Geometry) -> Self:
        """The same from the type that flows."""
        return cls(
            lines_per_turn=geometry.lines_per_turn,
            lines_per_block=geometry.lines_per_block,
            patch_px=geometry.patch_px,
            patches_per_strip=geometry.patches_per_strip,
        )

    @property
    def value(self) -> Geometry:
        """The same as the type that flows."""
        return Geometry(self.lines_per_turn, self.lines_per_block, self.patch_px, self.patches_per_strip)

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        self.value  # noqa: B018  # made once here, so that a geometry that cannot be judged block by block is refused
        return self


class Data(Section):
    """What the network was trained on."""

    source: str = Field(..., description="Where the pictures come from.")
    sha256: Annotated[Sha256 | None, Field(description="Of the data set's own manifest; None where it has none.")] = (
        None
    )
    parts: int = Field(..., ge=1, description="Parts.")
    patches: int = Field(..., ge=1, description="Patches that were cut from them.")
    epochs: int = Field(..., ge=1, description="Epochs after which these weights were kept.")
    patches_per_epoch: int = Field(..., ge=1, description="Patches drawn in each of them.")
    seed: int = Field(..., ge=0, description="Seed of weights, draws and augmentation.")
    begun_with: Annotated[
        Sha256 | None, Field(description="Of the file of weights that it began with; None where they were random.")
    ] = None


Kind = Literal["parts", "pictures"]
"""What is judged as one: a whole part by all its patches, or a single picture of a patch's size, by itself."""
JUDGED = Field(description="What is counted as a part: whole parts, or single pictures, each judged by itself.")


class Figures(Section):
    """What the network reached on parts that it was not trained on, as counts."""

    kind: Annotated[Kind, JUDGED] = "parts"
    source: str = Field(..., description="The pictures it was measured on.")
    patches: int = Field(
        ..., ge=0, description="Patches judged; slivers of a defect are left out. 0 where parts have no masks."
    )
    wrong_patches: int = Field(..., ge=0, description="Of them judged wrongly.")
    parts: int = Field(..., ge=1, description="Parts judged by the most certain patch (Algorithm 1).")
    defective_parts: int = Field(..., ge=0, description="Of them with a defect.")
    escapes: int = Field(..., ge=0, description="Defective parts passed.")
    overkills: int = Field(..., ge=0, description="Good parts called defective.")
    wrong_class: int = Field(..., ge=0, description="Defective parts called defective, but of another class.")
    reviews: Annotated[
        int, Field(ge=0, description="Parts under the least confidence, of any truth; counted nowhere else.")
    ] = 0


class Thresholds(Section):
    """From which answers on the network is believed."""

    min_confidence: float = Field(
        ..., gt=0, lt=1, description="Least confidence of a part with which the figures were counted."
    )


class Parity(Section):
    """How far an artefact decides as the torch network does, on the golden set."""

    kind: Annotated[Kind, JUDGED] = "parts"
    engine: EngineName = Field(..., description="Engine that ran it.")
    precision: Precision = Field(..., description="Arithmetic in which it ran.")
    source: str = Field(..., description="The golden set.")
    parts: int = Field(..., ge=1, description="Parts judged by both.")
    changed_parts: int = Field(..., ge=0, description="Of them with another class by Algorithm 1.")
    patches: int = Field(..., ge=1, description="Patches scored by both.")
    changed_patches: int = Field(..., ge=0, description="Of them with another most probable class.")
    largest_difference: float = Field(..., ge=0, le=1, description="Largest difference of a probability of a patch.")


class Quantisation(Section):
    """How the INT8 artefact was made."""

    recipe: str = Field(..., min_length=1, description="Name of the recipe, see `models.release.quantise`.")
    source: str = Field(..., description="Where the calibration patches come from.")
    patches: int = Field(..., ge=1, description="Calibration patches.")
    over_exposed: int = Field(..., ge=0, description="Of them made brighter until the metal saturates.")
    under_exposed: int = Field(..., ge=0, description="Of them made darker.")
    seed: int = Field(..., ge=0, description="Of their choice and of the changes.")


class Manifest(Section):
    """Everything that is known of a bundle."""

    format: Annotated[Literal[5], Field(description="Version of this manifest's layout; 2 to 4 are read, too.")] = 5
    name: Name = Field(..., description="Name of the bundle.")
    network: Name = Field(..., description="Architecture, a key of `models.networks.NETWORKS`.")
    version: int = Field(..., ge=1, description="Counts the bundles of this network.")
    created: datetime = Field(..., description="When it was exported, UTC.")
    code_version: str = Field(..., min_length=1, description="Version of the code that trained and exported it.")
    tools: dict[str, str] = Field(default_factory=dict, description="Versions of the packages that made the artefacts.")
    licence: str = Field(..., min_length=1, description="SPDX name of the weights' licence.")
    artefacts: dict[Artefact, tuple[str, ...]] = Field(..., min_length=1, description="The files of each artefact.")
    files: dict[str, Sha256] = Field(..., min_length=1, description="SHA-256 of every file of the bundle.")
    classes: tuple[ClassName, ...] = Field(..., min_length=2, description="Meaning of the outputs, in their order.")
    passing: ClassName = Field(..., description="The class with which a part is good, one of `classes`.")
    geometry: ScanGeometry = Field(..., description="What the network takes, and from what scan that is cut.")
    normalisation: Literal["pixel/255, inside the graph"] = "pixel/255, inside the graph"
    temperature: Annotated[
        float, Field(gt=0, description="Divides the logits before the softmax, inside the graph.")
    ] = 1.0
    thresholds: Annotated[Thresholds | None, Field(description="None until it has been measured.")] = None
    light_level: Annotated[
        float | None, Field(ge=1, le=254, description="Median grey value of good patches; None where unmeasured.")
    ] = None
    data: Data
    quantisation: Annotated[Quantisation | None, Field(description="None where there is no INT8 artefact.")] = None
    parity: Annotated[tuple[Parity, ...], Field(description="Every artefact against the torch network.")] = ()
    figures: Annotated[Figures | None, Field(description="None until it has been measured.")] = None
    features: Annotated[Features | None, Field(description="None where artefacts answer probabilities alone.")] = None
    novelty: Annotated[
        NoveltyReference | None, Field(description="None where nobody wrote down what was trained on.")
    ] = None
    calibration: Annotated[CalibrationFile | None, Field(description="None until good parts were measured.")] = None
    promise: Annotated[PromiseFile | None, Field(description="None until defective parts were held against it.")] = None
    screener: Annotated[Screener | None, Field(description="None where the network judges every patch.")] = None

    @property
    def layout(self) -> Geometry:
        """What the network takes, and from what scan that is cut."""
        return self.geometry.value

    @property
    def without_int8(self) -> str:
        """Why there is no INT8 artefact, in words; empty where there is one, or where nobody tried."""
        tried = [one for one in self.parity if one.precision == "int8"]
        if "openvino-int8" in self.artefacts or not tried:
            return ""
        (one,) = tried
        told = f"{one.changed_parts} of {one.parts} {one.kind} of {one.source}"
        return f"INT8 decided {told} otherwise than the network, so the bundle was made without it"

    @property
    def promises(self) -> dict[str, Promise]:
        """What is promised of the parts that the network passes, by part type."""
        proven = self.promise.types if self.promise else {}
        return {part_type: kind.value(part_type, self.name) for part_type, kind in proven.items()}

    @model_validator(mode="before")
    @classmethod
    def _reads_older_formats(cls, document: Any) -> Any:
        return in_format_5(document) if isinstance(document, dict) else document

    @model_validator(mode="after")
    def _tells_its_classes_apart(self) -> Self:
        if twice := sorted({name for name in self.classes if self.classes.count(name) > 1}):
            raise ValueError(f"classes: {', '.join(twice)} is named twice")
        if self.passing not in self.classes:
            raise ValueError(f"passing: {self.passing} is none of the classes {', '.join(self.classes)}")
        return self

    @model_validator(mode="after")
    def _names_plain_files(self) -> Self:
        strange = [name for name in self.files if PurePosixPath(name).name != name or name == MANIFEST]
        if strange:
            raise ValueError(f"files outside the bundle: {', '.join(strange)}")
        return self

    @model_validator(mode="after")
    def _names_the_files_of_its_artefacts(self) -> Self:
        for artefact, names in self.artefacts.items():
            if names != ARTEFACT_FILES[artefact]:
                raise ValueError(
                    f"artefact {artefact} is {', '.join(names)}, not {', '.join(ARTEFACT_FILES[artefact])}"
                )
        wanted = {name for names in self.artefacts.values() for name in names} | self._of_novelty()
        wanted |= {self.promise.file} if self.promise else set()
        wanted |= self.screener.files if self.screener else set()
        if missing := wanted - self.files.keys():
            raise ValueError(f"files names no {' and no '.join(sorted(missing))}")
        if idle := self.files.keys() - wanted - {CARD}:
            raise ValueError(f"no artefact has {', '.join(sorted(idle))}")
        return self

    @model_validator(mode="after")
    def _has_a_screener_of_its_own_kind(self) -> Self:
        """A pair answers in one way, or it is none; and each proof is of the files that are here."""
        screener = self.screener
        if screener is None:
            return self
        pair = {
            "classes": (screener.classes, self.classes),
            "geometry": (screener.geometry, self.layout),
            "normalisation": (screener.normalisation, self.normalisation),
        }
        for what, (its, own) in pair.items():
            if its != own:
                raise ValueError(f"screener.{what} is {its}, the network's is {own}")
        if (screener.novelty is None) != (self.novelty is None):
            raise ValueError("screener.novelty: unknown parts are told by both networks or by none")
        for proof in screener.proofs:
            if strange := sorted(name for name, sha256 in proof.files.items() if self.files.get(name) != sha256):
                told = f"{proof.engine} {proof.precision} was proven with another {', '.join(strange)}"
                raise ValueError(f"screener.proofs: {told}")
        return self

    def _of_novelty(self) -> set[str]:
        """The files that tell what was trained on; each needs the one before it."""
        if self.novelty is not None and self.features is None:
            raise ValueError("novelty without features: nothing could be held against it")
        if self.calibration is not None and self.novelty is None:
            raise ValueError("calibration without novelty: there is nothing that it was held against")
        return {part.file for part in (self.novelty, self.calibration) if part is not None}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose every file was found to be the one that its manifest names.

    Attributes:
        folder: Where it lies.
        manifest: What it says of itself.
        identity: Its name and the SHA-256 of its manifest.
    """

    folder: Path
    manifest: Manifest
    identity: ModelIdentity

    @property
    def light_level(self) -> float | None:
        """Median grey value of the good patches that its network knows; None where nobody measured it."""
        return self.manifest.light_level or MEASURED_SINCE.get(self.identity.sha256)

    @property
    def screener(self) -> Screener:
        """The small network that is asked first.

        Raises:
            ModelError: `model.missing`: the bundle has none.
        """
        if self.manifest.screener is None:
            told = f"{self.folder} has no screener; `station model export --screener` makes one of a checkpoint"
            raise ModelError("model.missing", told)
        return self.manifest.screener

    def read_artefact(self, artefact: Artefact) -> tuple[bytes, ...]:
        """The contents of an artefact's files, in the order of `ARTEFACT_FILES`, each checked again.

        Raises:
            ModelError: The bundle has no such artefact, or a file is missing or is not the one that was named.
        """
        names = self.manifest.artefacts.get(artefact)
        if names is None:
            has = ", ".join(self.manifest.artefacts)
            raise ModelError("model.missing", f"{self.folder} has no artefact {artefact}, only {has}")
        return tuple(self.read(name) for name in names)

    def read(self, name: str) -> bytes:
        """The content of a file, checked again, so that what is used is what was named.

        Raises:
            ModelError: The file is missing or is not the one that the manifest names.
        """
        content = _read(self.folder / name)
        found, named = hashlib.sha256(content).hexdigest(), self.manifest.files[name]
        if found != named:
            raise ModelError(
                "model.wrong_hash", f"{self.folder / name} has SHA-256 {found}, the manifest names {named}"
            )
        return content


def load_bundle(folder: Path) -> Bundle:
    """A bundle, after every one of its files was compared with the manifest. Reads all of them; blocking.

    Raises:
        ModelError: `model.missing` for the folder or a file of it, `model.wrong_hash` for another file than named,
            `model.bad_manifest` for a manifest that cannot be read. Whether its classes are the station's is another
            question: `models.meaning`.
    """
    if not folder.is_dir():
        raise ModelError("model.missing", f"no folder {folder}")
    text = _read(folder / MANIFEST)
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ModelError("model.bad_manifest", f"{folder / MANIFEST}: {_explain(error)}") from error
    bundle = Bundle(folder, manifest, ModelIdentity(manifest.name, hashlib.sha256(text).hexdigest()))
    for name in manifest.files:
        bundle.read(name)
    return bundle


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into a bundle's folder.

    Raises:
        OSError: It cannot be written.
    """
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file in a bundle's folder but the manifest, by name.

    Raises:
        ModelError: One cannot be read.
    """
    names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
    return {name: hashlib.sha256(_read(folder / name)).hexdigest() for name in names}


def found_artefacts(folder: Path) -> dict[Artefact, tuple[str, ...]]:
    """The artefacts whose files all lie in a folder."""
    present = {path.name for path in folder.iterdir()}
    return {artefact: names for artefact, names in ARTEFACT_FILES.items() if present.issuperset(names)}


def utc_now() -> datetime:
    """The time for `created`, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("model.missing", f"no file {path}") from error
    except OSError as error:
        raise ModelError("config.file_failed", f"{path} cannot be read: {error.strerror}") from error


def _explain(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or 'manifest'}: {item['msg']}" for item in error.errors())
