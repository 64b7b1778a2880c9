"""The GenTL producers that the driver's suite runs on, and the one table of what each can do.

`TLSimu.cti` is a third party's and is not installed with anything here. To run the suite on it:

    pip download genicam==1.5.0 --no-deps
    unzip -j genicam-1.5.0-*.whl '*/TLSimu.cti' '*/libVirtualFG.so' -d DIR
    TLSIMU_CTI=DIR/TLSimu.cti pytest -m tlsimu
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import genicam
import pytest

from drivers.camera.gentl import GenTLCamera
from sim.gentl import producer_path
from station.core.camera_settings import CameraSettings
from station.core.part import ScanRecipe
from tests.lines import LINES_PER_BLOCK
from tests.turned import GEOMETRY

WIDTH_PX = 320
Rows = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Producer:
    """A producer and how one of its cameras is set to turns.

    Attributes:
        name: As tests are called by it.
        serial_number: The camera that is meant.
        model: What it calls itself.
        setup: What makes a turn of it.
        names: Its features that stand for line rate and exposure; None where it has none that could.
        recipe: Values for these.
        first_frame_id: `any` where it goes on counting from turn to turn, None where it begins as usual.
        chunks: Its chunk features, by the keys of `[camera.chunks]`.
    """

    name: str
    serial_number: str
    model: str
    setup: Rows
    names: Mapping[str, str] | None
    recipe: ScanRecipe
    first_frame_id: str | None = None
    chunks: Mapping[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        if self.name == "tlsimu":
            return os.environ.get("TLSIMU_CTI") or pytest.skip(f"TLSIMU_CTI is not set: {__doc__}")
        return str(producer_path() if self.name == "ours" else Path(genicam.__file__).with_name("viky.cti"))

    def camera(self, setup: Rows | None = None, **others: object) -> GenTLCamera:
        """A camera of this producer, not yet open; `setup` adds to its rows."""
        rows = {**self.setup, **(setup or {})}
        document: dict[str, object] = {
            "producers": [self.file],
            "serial_number": self.serial_number,
            "width_px": WIDTH_PX,
            "max_line_rate_hz": 1,
            "buffers": 9,
            "block_timeout_s": 1.0,
            "late_block_s": 1.0,
            "first_frame_id": self.first_frame_id,
            "chunks": dict(self.chunks),
            "setup": [{"feature": feature, "value": value} for feature, value in rows.items()],
        }
        if self.names is not None:
            document["names"] = dict(self.names)
        return GenTLCamera(CameraSettings.model_validate(document | others), [GEOMETRY])


BLOCK: Rows = {"PixelFormat": "Mono8", "Width": WIDTH_PX, "Height": LINES_PER_BLOCK}
OURS = Producer(
    name="ours",
    serial_number="SLS-0001",
    model="Simulated Line Scan",
    setup={**BLOCK, "OffsetX": 0, "AcquisitionMode": "MultiFrame", "AcquisitionFrameCount": 8},
    names={},
    recipe=ScanRecipe(line_rate_hz=50_000.0, exposure_us=15.0, lines_per_block=448, blocks=8),
    chunks={
        "frame_id": "ChunkFrameID",
        "encoder_value": "ChunkEncoderValue",
        "line_selector": "ChunkScanLineSelector",
        "counter_bits": 64,
    },
)
VIKY = Producer(
    name="viky",
    serial_number="1",
    model="Viky",
    setup=BLOCK,
    names={"line_rate_hz": "AcquisitionFrameRate", "exposure_us": "BouncingBallSize"},
    recipe=ScanRecipe(line_rate_hz=200.0, exposure_us=20.0, lines_per_block=448, blocks=8),
    chunks={"line_status": "ChunkNrBounces"},
)
TLSIMU = Producer(
    name="tlsimu",
    serial_number="SN_InterfaceA_0",
    model="TLSimu",
    setup=BLOCK,
    names=None,
    recipe=ScanRecipe(1.0, 1.0, lines_per_block=448, blocks=8),
    first_frame_id="any",
)

ABILITIES: dict[str, tuple[Producer, ...]] = {
    "turn": (OURS, VIKY, TLSIMU),  # eight blocks of 448 lines, numbered one after the other
    "recipe": (OURS, VIKY),  # line rate and exposure, or features that can stand for them
    "stamps": (OURS,),  # time stamps
    "trigger": (OURS, TLSIMU),  # waits for a trigger
    "chunks": (OURS, VIKY),  # chunk data; viky's tell of no lines, any number stands for the inputs' levels
    "wide_pixels": (OURS,),  # Mono12 and Mono16
    "mislabelled_pixels": (TLSIMU,),  # takes Mono16 and delivers Mono8
    "faults": (OURS,),  # lost, short and incomplete blocks, unplugging, hanging
}
"""What which producer can do; a test runs on those that can do what it needs, and on no other."""


def on_producers(ability: str) -> pytest.MarkDecorator:
    """Runs a test, whose argument is `producer`, on every producer with this ability."""
    return pytest.mark.parametrize(
        "producer",
        [
            pytest.param(one, id=one.name, marks=pytest.mark.tlsimu if one is TLSIMU else ())
            for one in ABILITIES[ability]
        ],
    )
