"""What a person may choose from, in the configuration and on the command line, each list once."""

from enum import StrEnum
from typing import Literal

EngineName = Literal["openvino", "onnxruntime", "torch"]
"""What runs the network."""
Precision = Literal["int8", "bf16", "f32"]
"""The engine's arithmetic."""


class Speed(StrEnum):
    """How time passes in the simulated cell: motions take their time, or none."""

    REAL = "real"
    MAX = "max"
