"""The configuration's `[part_types.NAME]`, and whether the camera's set-up fits them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from station.core.algorithm1 import RuleName
from station.core.camera_settings import CameraSettings, FeatureSetting
from station.core.exposure import ExposureLimits
from station.core.light_settings import Exposure, GreyLevel
from station.core.part import FeatureValue, PartType
from station.core.section import Section
from station.core.table import GeometrySettings

SCANNED = set(PartType.__dataclass_fields__) - {"name", "geometry", "features"}
"""Keys that say how a part is scanned, as they are in `PartType`."""

SpotCheckShare = Annotated[int, Field(ge=0, le=1_000_000)]
"""One in so many; 0 for none."""
WIDTH = "Width"
"""The feature of SFNC that `camera.width_px` is."""


class PartTypeSettings(Section):
    """One type of part; see `station.core.part.PartType`."""

    code: int = Field(..., ge=1, le=65535, description="Number of the type on the PLC.")
    width_px: int = Field(..., ge=64, le=16384, description="Width of the part in the raw scan.")
    width_tolerance_px: int = Field(8, ge=0, le=512, description="By how much the measured width may differ.")
    edge_wander_px: int = Field(6, ge=0, le=256, description="By how much an edge may move within one turn.")
    outer_diameter_mm: float = Field(..., gt=0, le=1000, description="Diameter of the turned surface.")
    surface_speed_mm_s: float = Field(..., gt=0, le=10_000, description="Speed of the surface under the camera.")
    exposure_us: float = Field(..., gt=0, le=1_000_000, description="Exposure of one line.")
    bundle: str = Field("", description="The network for this type, as model.bundle names one; empty for that one.")
    rule: RuleName = Field(
        "algorithm1",
        description="What several defective patches come to. algorithm1: the surest decides; most_severe: the severest "
        "class does, and of its patches the surest; cost: the answer that is cheapest by decision.prices.",
    )
    min_confidence: Annotated[
        float | None, Field(ge=0.2, lt=1, description="As decision.min_confidence, for this type.")
    ] = None
    deadline_ms: Annotated[
        float | None, Field(gt=0, le=60_000, description="As decision.deadline_ms, for this type.")
    ] = None
    spot_check: Annotated[SpotCheckShare | None, Field(description="As decision.spot_check, for this type.")] = None
    archive: Annotated[list[str] | None, Field(description="As records.archive, for this type.")] = None
    light_reference: Annotated[GreyLevel | None, Field(description="As light.reference, for this type.")] = None
    exposure_min_us: Annotated[Exposure | None, Field(description="As light.exposure_min_us, for this type.")] = None
    exposure_max_us: Annotated[Exposure | None, Field(description="As light.exposure_max_us, for this type.")] = None
    geometry: GeometrySettings | None = Field(
        None, description="How one turn of this type becomes blocks, strips and patches; by default as [geometry] says."
    )
    features: list[FeatureSetting] = Field(
        default=[],
        description="Features of the camera that this type has otherwise than camera.setup, written in this order; "
        "before a type without them camera.setup is written anew.",
    )

    def part_type(self, name: str, geometry: GeometrySettings) -> PartType:
        """The same as the type that flows.

        Args:
            name: Its key in the configuration.
            geometry: The station's, for a type that has none of its own.
        """
        plain = self.model_dump(include=SCANNED)
        features = tuple((row.feature, row.value) for row in self.features)
        return PartType(name=name, **plain, geometry=(self.geometry or geometry).value(), features=features)


class EffectiveType(PartTypeSettings):
    """A part type with nothing left to the tables for all types."""

    bundle: str
    min_confidence: float
    deadline_ms: float
    spot_check: int
    archive: list[str]
    geometry: GeometrySettings

    @property
    def exposure(self) -> ExposureLimits | None:
        """Between what the station may set the exposure itself; None where it never does."""
        if self.exposure_min_us is None or self.exposure_max_us is None:
            return None
        return ExposureLimits(self.exposure_min_us, self.exposure_max_us)

    def exposure_problem(self, line_us: float) -> str | None:
        """What is wrong with these limits where a line takes so long; None where nothing is."""
        least, most = self.exposure_min_us, self.exposure_max_us
        if least is None and most is None:
            return None
        if least is None or most is None:
            return "exposure_min_us and exposure_max_us are given together"
        if not least <= self.exposure_us <= most:
            limits = f"exposure_min_us {least:g} and exposure_max_us {most:g}"
            return f"exposure_us {self.exposure_us:g} is not between {limits}"
        if most > line_us:
            return f"exposure_max_us {most:g} is longer than a line, {line_us:.1f} us"
        return None


def setup_problems(camera: CameraSettings, kinds: Sequence[PartType]) -> Iterator[str]:
    """What `camera.setup` and the part types contradict each other in, in words.

    Lines of a block and blocks of a turn are the station's to write where the types differ in them; what `camera.setup`
    says of them must then be what one of the types has.
    """
    lines = {kind.name: kind.geometry.lines_per_block for kind in kinds}
    blocks = {kind.name: kind.geometry.blocks_per_turn for kind in kinds}
    yield from _other_framing(camera, camera.names.lines_per_block, lines, "blocks of {} lines")
    yield from _other_framing(camera, camera.names.blocks_per_turn, blocks, "turns of {} blocks")
    for kind in kinds:
        yield from _wrong_features(camera, kind)


def _other_framing(camera: CameraSettings, feature: str, wanted: Mapping[str, int], words: str) -> Iterator[str]:
    said = _set_up(camera, feature)
    if said is None or said in wanted.values():
        return
    name, number = next(iter(wanted.items()))
    yield f"camera.setup says {feature} {said}, part type {name} has {words.format(number)}"


def _set_up(camera: CameraSettings, feature: str) -> FeatureValue | None:
    """What the set-up writes last into a feature; None where it does not write it."""
    return next((row.value for row in reversed(camera.setup) if row.feature == feature), None)


def _wrong_features(camera: CameraSettings, kind: PartType) -> Iterator[str]:
    names = camera.names
    of_station = {names.line_rate_hz, names.exposure_us, names.lines_per_block, names.blocks_per_turn, WIDTH}
    for feature in dict.fromkeys(name for name, _value in kind.features):
        where = f"part_types.{kind.name}.features: {feature}"
        if feature in of_station:
            yield f"{where} is what the station itself sets, from the type's other keys and camera.width_px"
        elif _set_up(camera, feature) is None:
            yield f"{where} is not in camera.setup, which says what the other types have; give its value there, too"
