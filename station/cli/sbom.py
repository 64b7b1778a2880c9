"""`station sbom`: what is installed, for who must know whether a new hole in a library is a hole here."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from station.core.errors import ConfigError


def sbom(
    train: Annotated[bool, typer.Option("--train", help="With the packages of the training.")] = False,
    wheels: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the wheels installed from; their hashes are told, too."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where it goes; by default standard output.")] = None,
) -> None:
    """Write the software bill of materials of this installation (SBOM, CycloneDX 1.6, JSON)."""
    from models.manifest import load_bundle
    from models.weights import SHIPPED, bundle_folder
    from station.offline.upkeep.inventory import installed
    from station.offline.upkeep.sbom import bill

    itself, *required = installed(["train"] if train else [])
    document = bill(itself, required, load_bundle(bundle_folder(SHIPPED)), datetime.now(UTC), wheels)
    text = json.dumps(document, indent=2)
    if out is None:
        print(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError("config.invalid", f"--out {out}: {error.strerror}") from error
