"""Manifests of format 2, read as format 3: bundles that were promoted before classes and geometry were values.

Such a network answers the five classes of housings, of which `defect_free` passes, and takes one geometry, which the
manifest told as `input` and `geometry`. These names and numbers are history; a manifest that says anything else is none
of format 2.
"""

from typing import Any

_CLASSES = ["defect_free", "imprinted", "pits", "roll_marks", "scratches"]
_BLOCKS, _LINES, _SIDE, _BESIDE = 8, 448, 256, 2
_HOW = "INTER_AREA"
_INPUT = {"dtype": "uint8", "batch": _BESIDE, "height": _SIDE, "width": _SIDE, "channels": 1}
_GEOMETRY = {
    "blocks": _BLOCKS,
    "lines_per_block": _LINES,
    "strip_height": _SIDE,
    "strip_width": _BESIDE * _SIDE,
    "interpolation": _HOW,
}


def in_format_3(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a manifest of format 2 as one of format 3.

    Raises:
        ValueError: It says something else than every manifest of format 2 did.
    """
    rest = dict(document)
    given = {key: rest.pop(key, {}) for key in ("input", "geometry")}
    for key, wanted in (("input", _INPUT), ("geometry", _GEOMETRY)):
        if not isinstance(given[key], dict) or wanted | given[key] != wanted:
            raise ValueError(f"{key} is {given[key]}, in format 2 it is {wanted}")
    if list(rest.get("classes", ())) != _CLASSES:
        told = ", ".join(map(str, rest.get("classes", ()))) or "none"
        raise ValueError(f"classes are {told}, in format 2 they are {', '.join(_CLASSES)}")
    geometry = {
        "lines_per_turn": _BLOCKS * _LINES,
        "lines_per_block": _LINES,
        "patch_px": _SIDE,
        "patches_per_strip": _BESIDE,
        "interpolation": _HOW,
    }
    return rest | {"format": 3, "passing": _CLASSES[0], "geometry": geometry}
