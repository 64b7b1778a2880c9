"""GenICam features: written with their own type, read back from the device, and kept as a snapshot.

A value is the same as the one wanted when it is equal; floating-point ones may differ by a thousandth of the wanted
value, because cameras round line rates and exposures to their own clock. A feature behind a selector is one of its own
for each choice: in snapshots it is called, for example, `TriggerMode[LineStart]`. `nodes` is always a genicam node map.
"""

import math
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genicam import genapi, gentl
from genicam.genapi import EInterfaceType as Kind

from drivers.camera.link import Allowed
from drivers.camera.process.buffer import GREY_FORMATS, GreyFormat
from station.core.errors import CameraError
from station.core.part import FeatureValue

FLOAT_TOLERANCE = 1e-3
COMMAND_TIMEOUT_S = 2.0
IDENTITY = ("DeviceModelName", "DeviceSerialNumber", "DeviceTemperature")

FOREIGN_ERRORS = (genapi.GenericException, gentl.GenericException)
"""What genicam raises."""

_KIND_NAMES = {
    Kind.intfIBoolean: ("a switch, true or false", bool),
    Kind.intfIInteger: ("a whole number", int),
    Kind.intfIFloat: ("a number", float),
    Kind.intfIEnumeration: ("one of a list of names", str),
    Kind.intfIString: ("a text", str),
    Kind.intfICommand: ("a command, only true", bool),
}


def write_feature(nodes: Any, name: str, value: FeatureValue) -> None:
    """Write a feature and read it back; a command is executed, its value is true.

    Raises:
        CameraError: There is no such feature, it is of another type, it was refused, or it reads back differently.
    """
    node = _find(nodes, name)
    kind = node.node.principal_interface_type
    wanted = _typed(name, kind, value)
    try:
        if kind == Kind.intfICommand:
            _execute(name, node)
            return
        node.value = wanted
        got = read_node(node)
    except FOREIGN_ERRORS as error:
        raise _refused(f"{name} = {wanted!r}: {explain(error)}{_choices(node, kind)}") from error
    if not _same(wanted, got):
        raise _refused(f"{name}: wanted {wanted!r}, the camera took {got!r}")


def read_node(node: Any) -> FeatureValue:
    """A node's value from the device itself, never from the node map's cache."""
    value: FeatureValue = node.get_value(False, True)
    return value


def read_feature(nodes: Any, name: str) -> FeatureValue | None:
    """A feature's value, or None where there is no such feature or it cannot be read (a command, for example)."""
    if not nodes.has_node(name):
        return None
    node = nodes.get_node(name)
    if node.node.principal_interface_type not in _KIND_NAMES or not genapi.is_readable(node):
        return None
    return read_node(node)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A feature and where its selectors stood: `selectors` are (name, value), empty for a feature without one."""

    name: str
    selectors: tuple[tuple[str, FeatureValue], ...] = ()

    @property
    def key(self) -> str:
        """The name in a snapshot: `Gain`, or `TriggerMode[LineStart]`."""
        return f"{self.name}[{','.join(str(value) for _, value in self.selectors)}]" if self.selectors else self.name


def chosen(nodes: Any, name: str) -> Chosen | None:
    """The feature as its selectors stand now; None for a selector, whose place is no state of the camera."""
    node = _find(nodes, name).node
    if node.is_selector() and name.endswith("Selector"):
        return None
    selectors = (selecting.node.name for selecting in node.selecting_features)
    return Chosen(name, tuple((selector, read_node(nodes.get_node(selector))) for selector in selectors))


def snapshot(nodes: Any, written: Iterable[Chosen]) -> dict[str, FeatureValue]:
    """These features and the camera's identity as they are now; what cannot be read is left out.

    Selectors are moved to where they stood for each feature.
    """
    found: dict[str, FeatureValue | None] = {}
    for feature in written:
        for selector, value in feature.selectors:
            if read_node(nodes.get_node(selector)) != value:
                write_feature(nodes, selector, value)
        found[feature.key] = read_feature(nodes, feature.name)
    found |= {name: read_feature(nodes, name) for name in IDENTITY}
    return {name: value for name, value in found.items() if value is not None}


def check_image_format(nodes: Any, width_px: int, lines: Allowed, blocks: Allowed) -> GreyFormat:
    """The pixel format of a camera that is set to acquisitions of such blocks.

    A camera that offers no MultiFrame acquisition is ended by the driver after a turn's blocks.

    Args:
        nodes: The camera's.
        width_px: Columns of a line.
        lines: What it calls the lines of a block, and how many there may be.
        blocks: What it calls the blocks of an acquisition, and how many there may be; none: it runs continuously.

    Raises:
        CameraError: It is set to something else.
    """
    sizes: tuple[Allowed, ...] = (("Width", (width_px,)), lines)
    for name, sized in sizes:
        if (got := read_feature(nodes, name)) not in sized:
            raise CameraError("camera.bad_image", f"{name} is {got!r}, the station needs {_either(sized)}")
    grey = GREY_FORMATS.get(str(got := read_feature(nodes, "PixelFormat")))
    if grey is None:
        allowed = "one of " + ", ".join(map(repr, GREY_FORMATS))
        why = "; packed pixels are not unpacked" if re.search(r"Packed|\d+p$", str(got)) else ""
        raise CameraError("camera.bad_image", f"PixelFormat is {got!r}, the station needs {allowed}{why}")
    _check_acquisition(nodes, blocks)
    return grey


def _check_acquisition(nodes: Any, blocks: Allowed) -> None:
    name, allowed = blocks
    mode = read_feature(nodes, "AcquisitionMode")
    if not allowed:
        if mode not in (None, "Continuous"):
            raise _refused(f"AcquisitionMode is {mode!r}, blocks that are no turn need 'Continuous'")
        return
    count = read_feature(nodes, name)
    if count not in (None, *allowed):
        raise _refused(f"{name} is {count!r}, a turn is {_either(allowed)} blocks")
    if mode not in (None, "MultiFrame") and "MultiFrame" in nodes.get_node("AcquisitionMode").symbolics:
        raise _refused(f"AcquisitionMode is {mode!r}, a turn needs 'MultiFrame'")


def explain(error: Exception) -> str:
    """A foreign error's message without the place in foreign source code."""
    return re.sub(r"\s*:? ?\w+Exception thrown in .*", "", str(error), flags=re.DOTALL) or type(error).__name__


def _either(allowed: tuple[int, ...]) -> str:
    return " or ".join(map(str, allowed))


def _find(nodes: Any, name: str) -> Any:
    if not nodes.has_node(name):
        raise _refused(f"{name}: the camera has no such feature")
    return nodes.get_node(name)


def _typed(name: str, kind: int, value: FeatureValue) -> FeatureValue:
    words, wanted = _KIND_NAMES.get(kind, ("of a kind that cannot be written", None))
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is int and type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not wanted or (kind == Kind.intfICommand and not value):
        raise _refused(f"{name} = {value!r}: the feature is {words}")
    return value


def _execute(name: str, node: Any) -> None:
    node.execute()
    deadline = time.monotonic() + COMMAND_TIMEOUT_S
    while not node.is_done():
        if time.monotonic() > deadline:
            raise _refused(f"{name}: the command did not end within {COMMAND_TIMEOUT_S:g} s")


def _same(wanted: FeatureValue, got: FeatureValue) -> bool:
    if isinstance(wanted, float) and isinstance(got, float):
        return math.isclose(wanted, got, rel_tol=FLOAT_TOLERANCE)
    return wanted == got


def _choices(node: Any, kind: int) -> str:
    return f" (it offers {', '.join(node.symbolics)})" if kind == Kind.intfIEnumeration else ""


def _refused(detail: str) -> CameraError:
    return CameraError("camera.feature_refused", detail)
