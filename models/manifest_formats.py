"""Manifests of formats 2 to 4, read as format 5: bundles that were promoted before it.

Format 4 tells of no screener: its network judges every patch.
Format 3 tells of no features and of nothing that the network was trained on: such a bundle cannot tell unknown parts.
Format 2 is older than classes and geometry as values. Such a network answers the five classes of housings, of which
`defect_free` passes, and takes one geometry, which the manifest told as `input` and `geometry`. These names and numbers
are history; a manifest that says anything else is none of format 2.
"""

from typing import Any

_CLASSES = ["defect_free", "imprinted", "pits", "roll_marks", "scratches"]
_BLOCKS, _LINES, _SIDE, _BESIDE = 8, 448, 256, 2
_HOW = "INTER_AREA"
_NEW_IN_4 = {"features", "novelty", "calibration", "promise"}
_NEW_IN_5 = {"screener"}
_INPUT = {"dtype": "uint8", "batch": _BESIDE, "height": _SIDE, "width": _SIDE, "channels": 1}
_GEOMETRY = {
    "blocks": _BLOCKS,
    "lines_per_block": _LINES,
    "strip_height": _SIDE,
    "strip_width": _BESIDE * _SIDE,
    "interpolation": _HOW,
}


def in_format_5(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a manifest of format 2, 3 or 4 as one of format 5; any other as it is.

    Raises:
        ValueError: One of format 2 says something else than every manifest of format 2 did; or one tells of what came
            with a later format.
    """
    number = document.get("format")
    if number not in {2, 3, 4}:
        return document
    later = _NEW_IN_5 | (_NEW_IN_4 if number < 4 else set())
    if early := sorted(later & document.keys()):
        raise ValueError(f"{', '.join(early)}: format {number} does not have it")
    return (_in_format_3(document) if number == 2 else document) | {"format": 5}


def _in_format_3(document: dict[str, Any]) -> dict[str, Any]:
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
