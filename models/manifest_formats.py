"""Manifests of formats 2 and 3, read as format 4: bundles that were promoted before it.

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
_INPUT = {"dtype": "uint8", "batch": _BESIDE, "height": _SIDE, "width": _SIDE, "channels": 1}
_GEOMETRY = {
    "blocks": _BLOCKS,
    "lines_per_block": _LINES,
    "strip_height": _SIDE,
    "strip_width": _BESIDE * _SIDE,
    "interpolation": _HOW,
}


def in_format_4(document: dict[str, Any]) -> dict[str, Any]:
    """The document of a manifest of format 2 or 3 as one of format 4; any other as it is.

    Raises:
        ValueError: One of format 2 says something else than every manifest of format 2 did; or one of the two tells of
            what came with format 4.
    """
    if document.get("format") not in {2, 3}:
        return document
    if early := sorted(_NEW_IN_4 & document.keys()):
        raise ValueError(f"{', '.join(early)}: format {document['format']} does not have it")
    return (_in_format_3(document) if document["format"] == 2 else document) | {"format": 4}


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
