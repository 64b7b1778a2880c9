"""NOTICE: what the package contains, and what it requires, each under which licence.

`make notice` writes it anew from the metadata of all packages that `requirements` locks; a test fails when one of them
is not in it, or under another licence than it tells.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap

from packaging.utils import NormalizedName

from station.offline.upkeep.inventory import Package, package_of

HEAD = """Inspection station
Copyright the authors of the inspection station

Licensed under the Apache License, Version 2.0 (see LICENSE).

What ships inside this package
  sim/gentl            our own GenTL producer, written from the published GenTL and GenApi standards; Apache-2.0
  sim/recordings       rendered by sim/surfaces; Apache-2.0
  models/weights       trained on rendered surfaces only; Apache-2.0
"""
CHAPTERS = {
    "run": "What it requires at run time, under licences of its own; none of it is copied into this package",
    "page": "Only for the operator page (the extra `page`), beside those",
    "fleet": "Only for bundles that are signed (the extra `fleet`), beside those",
    "opcua": "Only for the OPC UA server (the extra `opcua`), beside those",
    "sparkplug": "Only for Sparkplug (the extra `sparkplug`), beside those",
    "central": "Only for the plant's database and store (the extra `central`), beside those",
    "cluster": "Only for archives that are judged again (the extra `cluster`), beside those",
    "train": "Only for training (the extra `train`), beside those",
}
"""The files in `requirements` whose packages are named, each with the title of its chapter."""
REMARKS = {
    "asyncua": "used as its makers publish it, unmodified, and only by the process that serves OPC UA; whoever "
    "installs it may replace it with another version",
    "genicam": "the GenICam reference implementation may be used and redistributed in binary form, unmodified; read "
    "its LICENSE.txt before you ship a machine",
    "matplotlib": "draws the picture of `station bench` and is loaded only for it",
    "onnxruntime": "its wheel carries notices of the parts it contains",
    "opencv-python": "its wheel contains FFmpeg and Qt under LGPL-2.1 and LGPL-3.0",
    "openvino-telemetry": "required by openvino, which would send usage data through it; the station keeps it from "
    "being loaded (station/__init__.py)",
    "psycopg": "used as its makers publish it, unmodified, and only by `station plant`; whoever installs it may "
    "replace it with another version",
    "psycopg-binary": "the same; its wheel contains libpq and OpenSSL",
    "ray": "would send usage data; the station keeps it from that (station/__init__.py)",
    "torch": "its CUDA libraries, the packages that begin with nvidia, are under NVIDIA's licence",
}
"""What the metadata do not tell."""

INDENT, LICENCE_AT, WIDTH = 2, 30, 120


def notice(packages: Iterable[Iterable[Package]]) -> str:
    """The text.

    Args:
        packages: Those of each chapter, in the order of `CHAPTERS`; what is in several is named in the first.
    """
    named: set[NormalizedName] = set()
    chapters = []
    for title, listed in zip(CHAPTERS.values(), packages, strict=True):
        found = {package.key: package for package in listed if package.key not in named}
        named |= found.keys()
        chapters.append(f"{title}\n{_rows(found.values())}")
    return "\n".join([HEAD, *chapters])


def reported(report: Path) -> tuple[Package, ...]:
    """The packages in the report of an installation, `pip install --dry-run --report`."""
    rows = json.loads(report.read_text(encoding="utf-8"))["install"]
    return tuple(package_of(row["metadata"]) for row in rows)


def _rows(packages: Iterable[Package]) -> str:
    return "".join(_row(package) for package in sorted(packages, key=lambda one: one.key))


def _row(package: Package) -> str:
    remark = REMARKS.get(package.key)
    said = f"{package.licence}; {remark}" if remark else package.licence
    first, *rest = wrap(said, WIDTH - LICENCE_AT)
    head = f"{'':{INDENT}}{package.name}"
    return "\n".join([f"{head:<{LICENCE_AT}}{first}", *(f"{'':{LICENCE_AT}}{line}" for line in rest)]) + "\n"


if __name__ == "__main__":
    target, folder = map(Path, sys.argv[1:])
    target.write_text(notice(reported(folder / f"{name}.json") for name in CHAPTERS), encoding="utf-8")
