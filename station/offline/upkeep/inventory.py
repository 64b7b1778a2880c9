"""What the station is made of: packages, and under which licences, as their metadata tell.

A package tells its licence as an SPDX expression, in words of its own, by a classifier, or with the licence's whole
text. Words that mean one licence for certain are turned into its SPDX expression; others stay as they are.

Source: PEP 639 (`License-Expression`), core metadata 2.5.
"""

import re
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from models.version import DISTRIBUTION
from station.core.errors import ConfigError

Metadata = dict[str, str | list[str]]
"""A package's metadata in the form of PEP 566: fields in lower case, those that may come again as lists."""

SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache Software License V2.0": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "NVIDIA Proprietary Software": "LicenseRef-NVIDIA-Proprietary",
}
"""What packages say in place of an SPDX expression."""

LICENCE = r"(?:[A-Za-z0-9.+]+(?:-[A-Za-z0-9.+]+)+|MIT|ISC|Zlib|0BSD)"
EXPRESSION = re.compile(rf"{LICENCE}(?: (?:AND|OR|WITH) {LICENCE})*")
THIRD_CLAUSE = re.compile(r"[Nn]either the name .* may be used to\s+endorse", re.DOTALL)
UNTOLD = {"cleanlab": "Apache-2.0", "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
"""Licences of packages that do not name theirs: cleanlab gives its whole text, the other has no content of its own."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package and its licence.

    Attributes:
        name: As it writes itself.
        version: Its version.
        licence: SPDX expression, or in the package's own words.
        requires: Names of the packages that it requires here.
    """

    name: str
    version: str
    licence: str
    requires: tuple[NormalizedName, ...] = ()

    @property
    def key(self) -> NormalizedName:
        """Its name as it is compared."""
        return canonicalize_name(self.name)

    @property
    def has_expression(self) -> bool:
        """Whether the licence is an SPDX expression."""
        return EXPRESSION.fullmatch(self.licence) is not None


def package_of(found: Metadata, extras: Collection[str] = ()) -> Package:
    """What a package's metadata tell.

    Args:
        found: The metadata.
        extras: Which of its extras are wanted.

    Raises:
        ConfigError: `config.invalid`: it tells no licence at all.
    """
    name = str(found["name"])
    needs = (Requirement(line) for line in _lines(found, "requires_dist"))
    requires = dict.fromkeys(canonicalize_name(need.name) for need in needs if _wanted(need, extras))
    return Package(name, str(found["version"]), _licence(name, found), tuple(requires))


def installed(extras: Iterable[str] = ()) -> tuple[Package, ...]:
    """The station, and all packages that it requires, by name; the station is the first.

    Args:
        extras: Which of the station's extras are wanted.

    Raises:
        ConfigError: `config.invalid`: one of them is not installed, or tells no licence.
    """
    itself = canonicalize_name(DISTRIBUTION)
    wanted: dict[NormalizedName, set[str]] = {itself: set(extras)}
    found: dict[NormalizedName, Package] = {}
    waiting = deque([itself])
    while waiting:
        name = waiting.popleft()
        told = _metadata(name)
        found[name] = package_of(told, wanted[name])
        for need in map(Requirement, _lines(told, "requires_dist")):
            key = canonicalize_name(need.name)
            if _wanted(need, wanted[name]) and not (key in wanted and need.extras <= wanted[key]):
                wanted.setdefault(key, set()).update(need.extras)
                waiting.append(key)
    return found.pop(itself), *(found[name] for name in sorted(found))


def _metadata(name: str) -> Metadata:
    try:
        return metadata(name).json
    except PackageNotFoundError as error:
        raise ConfigError("config.invalid", f"the package {name} is required and not installed") from error


def _wanted(need: Requirement, extras: Collection[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _licence(name: str, found: Metadata) -> str:
    if expression := str(found.get("license_expression") or ""):
        return expression
    text = str(found.get("license") or "").strip()
    first = text.partition("\n")[0].strip()
    classified = [line.rsplit(" :: ", 1)[-1] for line in _lines(found, "classifier") if line.startswith("License :: ")]
    said = first.rsplit(" :: ", 1)[-1]
    if said in SPDX or (said and said == text.rsplit(" :: ", 1)[-1]):
        return SPDX.get(said, said)
    if THIRD_CLAUSE.search(text):
        return "BSD-3-Clause"
    if told := " or ".join(SPDX.get(line, line) for line in classified) or UNTOLD.get(name):
        return told
    raise ConfigError("config.invalid", f"the package {name} tells no licence: add it to UNTOLD in {__name__}")


def _lines(found: Metadata, field: str) -> list[str]:
    value = found.get(field) or []
    return value if isinstance(value, list) else [value]
