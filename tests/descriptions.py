"""The registers of the simulated camera and of its modules, as their GenApi descriptions have them."""

import re
from dataclasses import dataclass

from sim.gentl.build import SOURCES

DESCRIPTIONS = SOURCES / "descriptions"

CHUNKS = {"ChunkFrameIDRegister", "ChunkEncoderValueRegister", "ChunkLineStatusAllRegister"}
"""These lie in a block, not in the camera."""

_REGISTER = re.compile(r"<((?:Int|Float|String)Reg) Name=\"(\w+)\".*?>(.*?)</\1>", re.DOTALL)
_INDEX = re.compile(r"<pIndex Offset=\"(\d+)\">(\w+)</pIndex>")


@dataclass(frozen=True, slots=True)
class Register:
    """Bytes at an address; with a selector, so many bytes further on for each of its values."""

    address: int
    size: int
    access: str  # RO, WO, RW
    stride: int = 0
    selector: str = ""


def described(pattern: str) -> dict[str, Register]:
    """The registers in the descriptions whose file names fit, chunks left out."""
    text = "".join(path.read_text() for path in sorted(DESCRIPTIONS.glob(pattern)))
    return {name: _register(body) for _, name, body in _REGISTER.findall(text) if name not in CHUNKS}


def _register(body: str) -> Register:
    index = _INDEX.search(body)
    place = int(_value("Address", body), 16), int(_value("Length", body)), _value("AccessMode", body)
    return Register(*place, int(index[1]), index[2]) if index else Register(*place)


def _value(item: str, body: str) -> str:
    found = re.search(f"<{item}>(\\w+)</{item}>", body)
    assert found is not None, f"no {item} in {body}"
    return found[1]
