"""The bill of materials: every package that is installed with the station, and the shipped network, for who must know.

Written as CycloneDX 1.6, JSON, from what lies on this computer; it needs nothing but the station itself, so that it can
be asked of a machine at work.

Source: ECMA-424, CycloneDX v1.6; package URL specification, type `pypi`.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from packaging.utils import canonicalize_name, parse_wheel_filename

from models.manifest import Bundle
from station.core.errors import ConfigError
from station.core.moments import stamp
from station.offline.upkeep.inventory import Package

JsonObject = dict[str, Any]


def bill(
    itself: Package, packages: Iterable[Package], network: Bundle, at: datetime, wheels: Path | None = None
) -> JsonObject:
    """The document.

    Args:
        itself: The station.
        packages: What it requires.
        network: The network that ships with it.
        at: When this was seen.
        wheels: Folder of the files that they are installed from, whose hashes are told; None for none.

    Raises:
        ConfigError: `config.invalid`: the folder has not one file of every package.
    """
    required = list(packages)
    hashes = {} if wheels is None else _hashes(wheels, [itself, *required])
    places = {package.key: _purl(package) for package in required}
    model = f"{network.identity.name}@{network.identity.sha256}"
    root = {"type": "application", **_component(itself, hashes)}
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{uuid4()}", "version": 1,
        "metadata": {"timestamp": stamp(at), "component": root},
        "components": [
            *({"type": "library", **_component(package, hashes)} for package in required),
            {
                "type": "machine-learning-model", "bom-ref": model, "name": network.identity.name,
                "hashes": [{"alg": "SHA-256", "content": network.identity.sha256}],
                "licenses": [{"expression": itself.licence}],
            },
        ],
        "dependencies": [
            {"ref": _purl(itself), "dependsOn": [*(places[key] for key in itself.requires), model]},
            *({"ref": _purl(one), "dependsOn": [places[key] for key in one.requires]} for one in required),
            {"ref": model},
        ],
    }  # fmt: skip


def _component(package: Package, hashes: dict[str, str]) -> JsonObject:
    licence = {"expression": package.licence} if package.has_expression else {"license": {"name": package.licence}}
    component: JsonObject = {
        "bom-ref": _purl(package), "name": package.name, "version": package.version, "purl": _purl(package),
        "licenses": [licence],
    }  # fmt: skip
    if package.key in hashes:
        component["hashes"] = [{"alg": "SHA-256", "content": hashes[package.key]}]
    return component


def _purl(package: Package) -> str:
    return f"pkg:pypi/{package.key}@{package.version.replace('+', '%2B')}"


def _hashes(folder: Path, packages: Iterable[Package]) -> dict[str, str]:
    found: dict[str, Path] = {}
    for path in folder.glob("*.whl"):
        name, version, *_rest = parse_wheel_filename(path.name)
        found[f"{name} {version}"] = path
    hashes: dict[str, str] = {}
    for package in packages:
        file = found.get(f"{package.key} {package.version}")
        if file is None:
            raise ConfigError("config.invalid", f"{folder} has no wheel of {package.name} {package.version}")
        hashes[canonicalize_name(package.name)] = hashlib.sha256(file.read_bytes()).hexdigest()
    return hashes
