"""The library of the compiled passes, and what every one of them is called with.

Pixels are (lines, columns) uint8 whose columns lie side by side; lines may lie apart, as in a view into a block.
"""

import ctypes
from functools import cache
from pathlib import Path

import numpy as np

from station.core.errors import ConfigError
from station.core.part import Pixels
from station.flow.pixels.build import LIBRARY, sources_sha256

_PIXELS = (ctypes.c_void_p, ctypes.c_ssize_t)
_INT, _FLOAT, _POINTER = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
_PASSES: tuple[tuple[str, tuple[type, ...], type | None], ...] = (
    ("station_profile", (*_PIXELS, *2 * (_INT,), *2 * (_POINTER,)), None),
    ("station_smooth", (_POINTER, *2 * (_INT,), _POINTER), None),
    ("station_edge", (_POINTER, ctypes.c_ssize_t, *4 * (_INT,), _FLOAT), _INT),
    ("station_white", (*_PIXELS, *2 * (_INT,)), ctypes.c_int64),
    (
        "station_strip",
        (*_PIXELS, _INT, _INT, _POINTER, _POINTER, *4 * (_INT,), _POINTER, _POINTER, _INT, _INT, *3 * (_POINTER,)),
        None,
    ),
    ("station_turn", 9 * (_POINTER,), None),
    ("station_marks", (*_PIXELS, *7 * (_INT,), _FLOAT, *3 * (_POINTER,)), None),
)


@cache
def library() -> ctypes.PyDLL:
    """The compiled passes, loaded once; to be asked for at the start, so that a missing one is told there.

    Raises:
        ConfigError: `config.not_compiled`: they are missing, of another processor, or of other sources than lie here.
    """
    path = Path(__file__).with_name(LIBRARY)
    try:
        passes = ctypes.PyDLL(str(path))
        _require_these_sources(passes)
    except (OSError, AttributeError) as error:
        detail = f"{error}; compile it with: python -m station.flow.pixels.build"
        raise ConfigError("config.not_compiled", detail) from error
    for name, arguments, answer in _PASSES:
        function = getattr(passes, name)
        function.argtypes, function.restype = arguments, answer
    return passes


def _require_these_sources(passes: ctypes.PyDLL) -> None:
    """Passes of other sources take other arguments: what they would do with these, nobody knows.

    Raises:
        OSError: The library was made from other sources.
        AttributeError: It does not even tell from which.
    """
    told = passes.station_sources
    told.restype = ctypes.c_char_p
    if told() != sources_sha256().encode():
        raise OSError(f"{LIBRARY} was compiled from other sources than those beside it")


def place(pixels: Pixels) -> tuple[int, int]:
    """Where pixels begin in memory, and how many bytes their lines lie apart."""
    refuse(pixels.dtype != np.uint8 or pixels.strides[1] != 1, "pixels must be bytes that lie side by side")
    return pixels.ctypes.data, pixels.strides[0]


def refuse(wrong: bool, why: str) -> None:  # noqa: FBT001
    """Memory outside the arrays is never touched, whatever a caller does.

    Raises:
        ValueError: It is wrong.
    """
    if wrong:
        raise ValueError(why)
