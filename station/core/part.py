"""The types that flow: one frozen type per step of a part's way, from the announcement to the confirmed bin.

    Announcement ─ acquire ─▶ Block ─ crop ─▶ Crop ─ patch ─▶ Strip ─ score ─▶ Scores ─ decide ─▶ Decision ─ sort ─▶ bin

Arrays are (height, width). Rows run along the rotation. How many lines are one turn, how many of them come as one block
and become one strip, and how many patches that has, is the `Geometry` of the part's type.
Source: blocks, strips and patches after Mustafaev et al., "Enhancing Metal Surface Defect Recognition Through Image
Patching and Synthetic Defect Generation", sections III and IV.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from station.core.errors import Fault
from station.core.geometry import Geometry
from station.core.novelty.conformal import Novelty
from station.core.rulings import Rulings
from station.core.spot_check import Draw
from station.core.verdicts import Place, Verdict

PART_ID_LENGTH = 16

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Vectors = NDArray[np.float32]
"""One row a patch."""
FeatureValue = str | int | float | bool
"""What a GenICam feature holds."""
Features = tuple[tuple[str, FeatureValue], ...]
"""Features of a camera and what is written into them, in this order."""


@dataclass(frozen=True, slots=True)
class ScanRecipe:
    """What the camera is set to for one part type.

    Attributes:
        line_rate_hz: Lines a second.
        exposure_us: Exposure of one line.
        lines_per_block: Lines that come as one block.
        blocks: Blocks of one turn.
        features: What this type has otherwise than the camera's common set-up.
    """

    line_rate_hz: float
    exposure_us: float
    lines_per_block: int
    blocks: int
    features: Features = ()


@dataclass(frozen=True, slots=True)
class PartType:
    """What the station must know about one type of part.

    Attributes:
        name: Key of the configuration, `[part_types.NAME]`.
        code: Number of the type on the PLC, 1 to 65535.
        width_px: Width of the part in the raw scan.
        width_tolerance_px: By how much the measured width may differ.
        edge_wander_px: By how much the edges may move within one turn.
        outer_diameter_mm: Diameter of the turned surface.
        surface_speed_mm_s: Speed of the surface under the camera.
        exposure_us: Exposure of one line.
        geometry: How one turn becomes blocks, strips and patches.
        features: What the camera is set to for this type otherwise than in its common set-up.
    """

    name: str
    code: int
    width_px: int
    width_tolerance_px: int
    edge_wander_px: int
    outer_diameter_mm: float
    surface_speed_mm_s: float
    exposure_us: float
    geometry: Geometry
    features: Features = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any], otherwise: Geometry) -> Self:
        """The type from its fields as a record keeps them, what is nested as plain data.

        Args:
            settings: The fields by name.
            otherwise: The geometry where the record is older than geometries are.

        Raises:
            TypeError: A field is missing, or is none of a part type.
            ValueError: The geometry is none.
        """
        geometry = Geometry(**settings["geometry"]) if "geometry" in settings else otherwise
        features = tuple((str(name), value) for name, value in settings.get("features", ()))
        return cls(**{**settings, "geometry": geometry, "features": features})

    @property
    def turn_s(self) -> float:
        """Duration of one turn in seconds."""
        return float(np.pi) * self.outer_diameter_mm / self.surface_speed_mm_s

    @property
    def speed_rpm(self) -> float:
        """Speed of the jig in turns a minute."""
        return 60.0 / self.turn_s

    @property
    def line_rate_hz(self) -> float:
        """Lines a second at which the geometry's lines are one turn."""
        return self.geometry.lines_per_turn / self.turn_s

    @property
    def block_s(self) -> float:
        """Time in which one block is exposed, in seconds."""
        return self.geometry.lines_per_block / self.line_rate_hz

    @property
    def mm_per_line(self) -> float:
        """Length on the surface, along the turn, from one line to the next, in millimetres."""
        return float(np.pi) * self.outer_diameter_mm / self.geometry.lines_per_turn

    @property
    def recipe(self) -> ScanRecipe:
        """What the camera is set to for a scan of this type."""
        geometry = self.geometry
        return ScanRecipe(
            self.line_rate_hz, self.exposure_us, geometry.lines_per_block, geometry.blocks_per_turn, self.features
        )


@dataclass(frozen=True, slots=True)
class Announcement:
    """A part that the PLC says is waiting at the infeed.

    Attributes:
        sequence: The PLC's number of this announcement, 1 to 65535; a new part has a new number.
        part_id: At most 16 printable ASCII characters; may come back for re-inspection.
        type_code: Number of the part's type.
    """

    sequence: int
    part_id: str
    type_code: int

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.part_id}, type {self.type_code}, number {self.sequence}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection of one part, from the moment the station has taken it on.

    Attributes:
        inspection_id: Unique for ever; keys the record.
        number: 1, 2, 3 … in this data folder; 32 bit, shown on the PLC.
        part: What the PLC announced.
        part_type: The configured type.
        entered_at: When the station took the part on, UTC.
    """

    inspection_id: str
    number: int
    part: Announcement
    part_type: PartType
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class LineMarks:
    """What the camera itself says of a block's lines, behind the image; each is None where it does not say it.

    Attributes:
        frame_id: The camera's own number of the block, counted from wherever it likes.
        first_encoder: Counts of the jig's encoder at the first line.
        last_encoder: Counts of the jig's encoder at the last line that was delivered.
        line_status: Levels of the camera's inputs at the first line, one bit each.
        absent: Names of features that this camera sends, but not with this block.
    """

    frame_id: int | None = None
    first_encoder: int | None = None
    last_encoder: int | None = None
    line_status: int | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of lines as the camera delivered them.

    Attributes:
        index: By order of arrival, from 0.
        frame_id: The producer's number of this block within the turn, counted from 0.
        pixels: (lines a block, sensor width) uint8, read-only.
        delivered_lines: Lines that hold image data; fewer than the block has make the scan invalid.
        last_line_ns: End of the last line's exposure on CLOCK_MONOTONIC.
        arrived_ns: When the station's process had the block, on CLOCK_MONOTONIC.
        marks: What the camera says of the lines, or None where it says nothing.
    """

    index: int
    frame_id: int
    pixels: Pixels
    delivered_lines: int
    last_line_ns: int
    arrived_ns: int
    marks: LineMarks | None = None


@dataclass(frozen=True, slots=True)
class LineAccount:
    """Where every line of one turn has gone.

    Attributes:
        expected_lines: Those of one turn.
        delivered_lines: Lines with image data, over all blocks.
        blocks: Blocks that arrived.
        frame_ids: The producer's numbers in order of arrival.
        discarded_blocks: Blocks that the camera's software threw away as incomplete.
        fault: Why the scan is invalid, or None.
        detail: What was found, for people.
    """

    expected_lines: int
    delivered_lines: int
    blocks: int
    frame_ids: tuple[int, ...]
    discarded_blocks: int
    fault: Fault | None
    detail: str

    @property
    def valid(self) -> bool:
        """True when all lines of the turn arrived once, in order."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class Roi:
    """The part's columns on the sensor: `left` is the first, `right` the one after the last."""

    left: int
    right: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Crop:
    """A block without its black background.

    Attributes:
        index: That of the block.
        roi: The columns of the whole part, found in block 0.
        pixels: (lines a block, roi.width) uint8, a view into the block.
    """

    index: int
    roi: Roi
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Strip:
    """A block as the network sees it: `patches` is the geometry's `patches_shape` uint8, contiguous, left to right."""

    index: int
    patches: Pixels


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screener, which is asked before the network, says of the patches of one strip.

    Attributes:
        patches: (patches,): which of them it judged alone.
        unlike: (patches,) float32: how unlike its training each is; None of one that does not tell it.
    """

    patches: NDArray[np.bool_]
    unlike: Vectors | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a network says of the patches of one strip.

    Attributes:
        probabilities: (patches, classes) float32, in the network's own order; each row sums to 1.
        features: (patches, values) float32: what the network saw of each patch before it chose a class, no number of
            those that its screener judged alone; None of one that does not tell it, or that saw none of them.
        screened: What its screener says; None of one that has none.
    """

    probabilities: Probabilities
    features: Vectors | None
    screened: Screened | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """What one strip was judged to show.

    Attributes:
        index: That of the strip.
        probabilities: (patches, classes) float32, in the network's own order.
        novelty: (patches,) float32: how unlike the training each patch is; None where the network cannot tell.
        screened: (patches,): which of them a screener judged alone; None where there is none.
    """

    index: int
    probabilities: Probabilities
    novelty: Vectors | None = None
    screened: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class ScanHealth:
    """Everything but the scores that the guard of the decision looks at.

    Attributes:
        fault: The first thing that makes the scan or its judgement invalid, or None.
        detail: What was found, for people.
        ms_after_last_line: From the last line's exposure to the decision; None when there was no last line.
        cause: What made the judgement slow, for people; empty where nothing did.
    """

    fault: Fault | None
    detail: str
    ms_after_last_line: float | None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of the part, and why.

    Attributes:
        verdict: The final verdict, by the part type's rule and after the guard.
        algorithm1: What Algorithm 1 says of the scores alone; None when a strip was not scored.
        fault: Why the guard turned the verdict into REVIEW, or None.
        detail: What was found, for people.
        confidence: 0 to 1. Of a pass the lowest probability of the passing class; of a defect that of the deciding
            patch; 0 without scores.
        deciding_patch: From 0: the patch that decided (of a pass the least certain one), or None without scores.
        defect_patches: Number of patches whose class is a defect.
        probabilities: (patches, classes) float32, or fewer rows when not all strips were scored.
        novelty: How unlike the training the part is; None where the network cannot tell, or not all strips were scored.
        spot_check: The draw that was made for a part that would pass; None where none was.
        rulings: What each rule says of the scores; None when a strip was not scored.
        screened: The patches that a screener judged alone, in order, from 0; None where there is no screener, or not
            all strips were scored.
    """

    verdict: Verdict
    algorithm1: Verdict | None
    fault: Fault | None
    detail: str
    confidence: float
    deciding_patch: int | None
    defect_patches: int
    probabilities: Probabilities
    novelty: Novelty | None = None
    spot_check: Draw | None = None
    rulings: Rulings | None = None
    screened: tuple[int, ...] | None = None

    @property
    def destination(self) -> Place:
        """The only place where the part may go."""
        return self.verdict.place


Device = Literal["robot", "jig"]


@dataclass(frozen=True, slots=True)
class Order:
    """One numbered order to a device.

    Attributes:
        device: `robot` or `jig`.
        number: 1 to 65535, never 0; the next order has the next number, across restarts.
        verb: `load`, `unload`, `home`, `spin`, `stop`.
        argument: Destination code or speed in tenths of rpm; 0 without one.
    """

    device: Device
    number: int
    verb: str
    argument: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an order ended.

    Attributes:
        order: The order.
        confirmed: Place code that the robot confirms, 0 when the order has none.
        acknowledged_ns: When the device took the order, on CLOCK_MONOTONIC.
        done_ns: When the device reported it done, on CLOCK_MONOTONIC.
    """

    order: Order
    confirmed: int
    acknowledged_ns: int
    done_ns: int


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which network judged: the bundle's name and the SHA-256 of its manifest, which names the hash of every file."""

    name: str
    sha256: str

    def __str__(self) -> str:
        """The bundle's name and the first twelve digits of the hash."""
        return f"{self.name}@{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What ran the network; where all of this is the same, the same patches get the same bits.

    Attributes:
        name: `openvino`, `onnxruntime` or `torch`.
        version: Of the engine.
        precision: `int8`, `bf16` or `f32`, in which it really runs.
        isa: Architecture and instruction-set extensions of the processor.
    """

    name: str
    version: str
    precision: str
    isa: str


FeatureSnapshot = Mapping[str, FeatureValue]
"""The camera's features by name, as read back after they were written."""
