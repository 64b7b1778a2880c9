"""The bundles that wait to be promoted, and what the gate has against each. All blocks.

A bundle waits in `page.waiting_dir`: lying there itself, or in a folder that `station learn --out` made there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models.manifest import MANIFEST, load_bundle
from models.release.gate_report import read_report
from models.release.shelf import Shelf
from station.core.errors import ModelError, PageError
from station.core.part import ModelIdentity
from station.core.settings import Settings
from station.host.bundles import find_shelf
from station.host.promoting import conditions_of
from station.page.desk import PageDesk

WAITING = "waiting"
"""Where bundles wait, in the data folder and in that of a learning."""
MOST_WAITING = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """A bundle that waits.

    Attributes:
        folder: Where.
        identity: Which; None where it cannot be read.
        network: What kind of network it has.
        created: When it was made; None where it cannot be read.
        refused: Why it may not be let in now; empty where it may.
    """

    folder: Path
    identity: ModelIdentity | None
    network: str = ""
    created: datetime | None = None
    refused: str = ""


def waiting_one(desk: PageDesk, sha256: str) -> Waiting:
    """The bundle of this hash that waits.

    Raises:
        PageError: `page.no_such_model`: none of it waits.
        ModelError: The history of promotions cannot be used.
    """
    shelf = find_shelf(desk.settings, desk.folder)
    for one in waiting(desk, shelf, shelf.active()):
        if one.identity is not None and one.identity.sha256 == sha256:
            return one
    raise PageError("page.no_such_model", f"no bundle of the hash {sha256[:12]} waits any more")


def folders(desk: PageDesk) -> list[Path]:
    """Where bundles wait, by their names."""
    configured = desk.settings.page.waiting_dir
    root = Path(configured).expanduser() if configured else desk.folder / WAITING
    found = {path.parent for way in ("*", f"*/{WAITING}/*") for path in root.glob(f"{way}/{MANIFEST}")}
    return sorted(found)[:MOST_WAITING]


def waiting(desk: PageDesk, shelf: Shelf, present: ModelIdentity) -> Iterator[Waiting]:
    """What waits, by where it lies; the promoted one does not.

    Args:
        desk: Whose configuration says where bundles wait.
        shelf: Where the gate leaves its reports.
        present: The promoted one.
    """
    for folder in folders(desk):
        try:
            bundle = load_bundle(folder)
        except ModelError as error:
            yield Waiting(folder, None, refused=str(error))
            continue
        if bundle.identity.sha256 == present.sha256:
            continue
        refused = _refused(shelf.verdict_of(bundle.identity.sha256), bundle.identity, present, desk.settings)
        yield Waiting(folder, bundle.identity, bundle.manifest.network, bundle.manifest.created, refused)


def _refused(report: Path, identity: ModelIdentity, present: ModelIdentity, settings: Settings) -> str:
    """Why a bundle may not be let in, by the gate's report; empty where it may."""
    try:
        read_report(report)[0].demand(identity, present, conditions_of(settings))
    except ModelError as error:
        return error.detail
    return ""
