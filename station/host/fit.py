"""Whether a network and a part type are made for each other; asked before anything moves."""

from collections.abc import Iterator

from station.core.errors import ModelError
from station.core.geometry import Geometry


def require_geometry(configured: Geometry, made_for: Geometry, bundle: str) -> None:
    """Refuse a network that does not take what a part type's scan is cut into.

    Args:
        configured: The part type's geometry.
        made_for: The network's.
        bundle: Name of the network's bundle.

    Raises:
        ModelError: `model.wrong_geometry`.
    """
    if configured != made_for:
        differences = ", ".join(_differences(configured, made_for))
        raise ModelError("model.wrong_geometry", f"it has {differences} (bundle {bundle}: {made_for})")


def _differences(of_type: Geometry, of_network: Geometry) -> Iterator[str]:
    for what, one, other in (
        ("lines a turn", of_type.lines_per_turn, of_network.lines_per_turn),
        ("lines a block", of_type.lines_per_block, of_network.lines_per_block),
        ("px a patch", of_type.patch_px, of_network.patch_px),
        ("patches a strip", of_type.patches_per_strip, of_network.patches_per_strip),
    ):
        if one != other:
            yield f"{one} {what}, the network {other}"
