"""What a bundle's manifest says of its screener, and of what it may pass alone."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from models.novelty.sections import Features
from station.core.choices import EngineName, Precision
from station.core.geometry import Geometry
from station.core.section import Section

Artefact = Literal["openvino", "openvino-int8", "onnx", "torch"]
"""A network in the form that one engine reads."""

SCREENER_FILES: dict[Artefact, tuple[str, ...]] = {
    "openvino": ("screener.xml", "screener.bin"),
    "openvino-int8": ("screener-int8.xml", "screener-int8.bin"),
    "onnx": ("screener.onnx",),
    "torch": ("screener.pt",),
}
"""The files of each artefact of a screener, in the order in which its engine reads them."""

SCREENER_NOVELTY: Literal["screener-novelty.npz"] = "screener-novelty.npz"
"""What patches of the training were like to the screener, in a bundle's folder."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ChosenOn(Section):
    """The parts by which a threshold was chosen."""

    source: str = Field(..., min_length=1, description="What they are, for people.")
    parts: int = Field(..., ge=1, description="Distinct parts that the full network in f32 does not pass.")
    passed_alone: int = Field(..., ge=0, description="Of them passed by the pair at the chosen threshold.")
    target: float = Field(..., gt=0, lt=1, description="Share of them that may be, by the choice.")
    confidence: float = Field(..., gt=0, lt=1, description="With which no more are, by the choice.")


class ProvenOn(Section):
    """Other parts, on which the pair was held against the full network in f32."""

    source: str = Field(..., min_length=1, description="What they are, for people.")
    parts: dict[str, int] = Field(..., min_length=1, description="Distinct parts by part type.")
    not_passed: int = Field(..., ge=0, description="Of them not passed by the full network in f32.")
    passed_alone: int = Field(..., ge=0, description="Of these passed by the pair: escapes that the pair alone has.")
    otherwise: int = Field(..., ge=0, description="Parts that the pair decides in any other way otherwise.")
    overkills: int = Field(..., ge=0, description="Good parts that the pair calls defective and the full one does not.")
    patches: int = Field(..., ge=1, description="Patches of them.")
    screened: int = Field(..., ge=0, description="Of these judged by the screener alone.")

    @property
    def all_parts(self) -> int:
        """Parts of all types."""
        return sum(self.parts.values())


class ScreenerProof(Section):
    """From what answer on a screener may pass a patch alone, by one engine in one arithmetic."""

    engine: EngineName = Field(..., description="Engine that ran the pair.")
    precision: Precision = Field(..., description="Arithmetic in which it ran.")
    isa: str = Field(..., min_length=1, description="Instruction set of the processor.")
    threshold: float = Field(..., gt=0.5, le=1, description="Least probability of the class that passes.")
    chosen: ChosenOn = Field(..., description="How the threshold was found.")
    proven: ProvenOn = Field(..., description="What was proven at it, on other parts.")
    files: dict[str, Sha256] = Field(..., min_length=1, description="The files that were run, with their SHA-256.")
    made: datetime = Field(..., description="When, UTC.")


class Screener(Section):
    """A small network that is asked before the bundle's own."""

    network: str = Field(..., min_length=1, description="Architecture, a key of `models.networks.NETWORKS`.")
    artefacts: dict[Artefact, tuple[str, ...]] = Field(..., min_length=1, description="The files of each artefact.")
    classes: tuple[str, ...] = Field(..., min_length=2, description="As of the bundle, in the same order.")
    geometry: Geometry = Field(..., description="As of the bundle.")
    normalisation: str = Field(..., min_length=1, description="As of the bundle.")
    temperature: float = Field(1.0, gt=0, description="Divides its logits before the softmax, inside the graph.")
    source: str = Field(..., min_length=1, description="What it was trained on, for people.")
    parts: int = Field(..., ge=1, description="Parts that it was trained on.")
    epochs: int = Field(..., ge=1, description="Epochs after which its weights were kept.")
    features: Annotated[Features | None, Field(description="Its second answer; None where it has none.")] = None
    novelty: Annotated[
        Literal["screener-novelty.npz"] | None,
        Field(description="What was trained on, as it sees that; None where the bundle cannot tell unknown parts."),
    ] = None
    proofs: Annotated[tuple[ScreenerProof, ...], Field(description="One an engine and arithmetic.")] = ()

    @property
    def files(self) -> set[str]:
        """Names of all its files."""
        told = {name for names in self.artefacts.values() for name in names}
        return told | ({self.novelty} if self.novelty else set())

    def proof_of(self, engine: EngineName, precision: Precision) -> ScreenerProof | None:
        """What was proven for an engine in an arithmetic; None where nobody has."""
        asked = (engine, precision)
        return next((proof for proof in self.proofs if (proof.engine, proof.precision) == asked), None)

    @model_validator(mode="after")
    def _names_its_own_files(self) -> Self:
        for artefact, names in self.artefacts.items():
            if names != SCREENER_FILES[artefact]:
                raise ValueError(
                    f"artefact {artefact} is {', '.join(names)}; not {', '.join(SCREENER_FILES[artefact])}"
                )
        return self

    @model_validator(mode="after")
    def _sees_what_it_was_trained_on(self) -> Self:
        if self.novelty is not None and self.features is None:
            raise ValueError("novelty without features: nothing could be held against it")
        return self

    @model_validator(mode="after")
    def _is_proven_once(self) -> Self:
        ways = [(proof.engine, proof.precision) for proof in self.proofs]
        if len(ways) > len(set(ways)):
            raise ValueError("two proofs of one engine and precision")
        return self
