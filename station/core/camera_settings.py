"""The configuration's `[camera]`: producer, deadlines, features to write, and what the camera tells of its lines."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from station.core.part import FeatureValue
from station.core.section import Seconds, Section


class FeatureSetting(Section):
    """One GenICam feature to write."""

    feature: str = Field(..., min_length=1, description="The feature's name in the camera's node map.")
    value: FeatureValue = Field(..., description="Its value, with the type that the feature has.")


class FeatureNames(Section):
    """What this camera calls the features that the station sets per part type."""

    line_rate_hz: str = Field("AcquisitionLineRate", description="Line rate in hertz.")
    exposure_us: str = Field("ExposureTime", description="Exposure of a line in microseconds.")
    lines_per_block: str = Field("Height", description="Lines that come as one block.")
    blocks_per_turn: str = Field("AcquisitionFrameCount", description="Blocks of one acquisition, which is a turn.")


class ChunkSettings(Section):
    """What this camera calls the chunk data that tell of each block's lines, and what they must come to.

    A feature that is named and that the camera has must come with every block, else the scan is incomplete.
    """

    frame_id: str = Field("", description="Its own number of the block, for example ChunkFrameID; empty: not read.")
    encoder_value: str = Field("", description="The encoder at a line, for example ChunkEncoderValue; empty: not read.")
    line_selector: str = Field(
        "", description="The line that encoder_value means, ChunkScanLineSelector for example; empty: always the first."
    )
    line_status: str = Field(
        "", description="Its inputs at a block's first line, for example ChunkLineStatusAll; empty: not read."
    )
    counts_per_line: int = Field(
        1,
        ge=-1_000_000,
        le=1_000_000,
        description="Counts of encoder_value from line to line; negative: downwards.",
    )
    counter_bits: int = Field(32, ge=8, le=64, description="Bits of encoder_value, where it begins anew.")
    tolerance_lines: float = Field(
        0.0,
        ge=0,
        le=100,
        description="By how many lines the encoder may disagree within a block, or from one to the next.",
    )
    index_bit: int | None = Field(
        None, ge=0, le=63, description="Bit of line_status that is high at a turn's first line: the index pulse."
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.counts_per_line == 0:
            raise ValueError("counts_per_line must not be 0")
        if self.line_selector and not self.encoder_value:
            raise ValueError("line_selector is of no use without encoder_value")
        if self.index_bit is not None and not self.line_status:
            raise ValueError("index_bit is a bit of line_status, which is not named")
        return self

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """The features that are read: key of this table and name."""
        keys = ("frame_id", "encoder_value", "line_selector", "line_status")
        return tuple((key, name) for key in keys if (name := str(getattr(self, key))))


class CameraSettings(Section):
    """The line-scan camera and its GenTL producer."""

    producers: list[str] = Field(
        default=[], description="GenTL producer files (.cti); empty: all in the folders of GENICAM_GENTL64_PATH."
    )
    serial_number: str = Field("", description="The camera's serial number; empty where there is only one camera.")
    width_px: int = Field(5472, ge=256, le=16384, description="Columns that the camera delivers.")
    mm_per_px: Annotated[
        float | None,
        Field(
            gt=0,
            le=10,
            description="What one column is on the part, along its axis; empty where nobody has measured it.",
        ),
    ] = None
    max_line_rate_hz: float = Field(..., gt=0, le=1_000_000, description="The camera's highest line rate.")
    buffers: int = Field(
        12,
        ge=9,
        le=256,
        description="Blocks that the producer may hold; at least one turn and one, also where this says less.",
    )
    open_timeout_s: Seconds = Field(20.0, description="Deadline for process start, connection and set-up.")
    block_timeout_s: Seconds = Field(
        5.0, description="Deadline of a turn's first block, beyond one turn's wait for the index pulse; then it failed."
    )
    late_block_s: Seconds = Field(
        1.0, description="By how much a later block may be overdue; then the turn is over and the scan incomplete."
    )
    reopen_attempts: int = Field(
        3, ge=0, le=100, description="How often a lost camera is opened again within reopen_window_s; 0 for never."
    )
    reopen_window_s: Annotated[float, Field(gt=0, le=86_400)] = Field(60.0, description="See reopen_attempts.")
    reopen_pause_s: Seconds = Field(2.0, description="Pause after an attempt that failed, before the next one.")
    failed_turns: int = Field(
        3, ge=1, le=1000, description="After so many turns in a row without a complete scan the cell is Held."
    )
    first_frame_id: Annotated[int, Field(ge=0)] | Literal["any"] | None = Field(
        None,
        description="Number that the producer gives an acquisition's first block; by default 0 for U3V, else 1. "
        "any: it goes on counting from one acquisition to the next, and the first block that comes is the first; "
        "after 65535 may come 1.",
    )
    names: FeatureNames = FeatureNames()
    chunks: ChunkSettings = ChunkSettings()
    setup: list[FeatureSetting] = Field(default=[], description="Features written in this order at every connection.")
