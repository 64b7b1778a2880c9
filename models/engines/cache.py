"""A folder of compiled networks of which nothing is believed that is not as it was written.

    open_cache ─▶ the engine loads, or compiles and writes ─▶ seal_cache

OpenVINO notices a cut or foreign file and compiles anew, but it loads one whose weights have changed on the disk, and
then scores differently without a word. So the files' SHA-256 are written beside them and compared before each start.
A cache can always be done without: what is wrong with it is logged and thrown away, and never stops the station.
"""

import hashlib
import json
from pathlib import Path

import structlog

log = structlog.get_logger()

SUMS = "sha256.json"


def open_cache(folder: Path) -> Path | None:
    """The folder, made if need be, with nothing in it but files that are as they were sealed; None if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _sums_of(folder) != _sealed(folder):
            log.warning("model_cache_discarded", folder=str(folder))
            _empty(folder)
    except OSError as error:
        log.warning("model_cache_unusable", folder=str(folder), detail=str(error))
        return None
    return folder


def seal_cache(folder: Path) -> None:
    """Write down what lies in the folder now, if that has changed."""
    try:
        sums = _sums_of(folder)
        if sums != _sealed(folder):
            (folder / SUMS).write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        log.warning("model_cache_unusable", folder=str(folder), detail=str(error))


def _sums_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _sealed(folder: Path) -> object:
    try:
        return json.loads((folder / SUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        return None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
