"""Makes a backup, also while the station runs."""

import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from drivers.modbus.register_map import MAP_NAMES, map_version
from models.manifest import Bundle
from models.release.history import HEAD, HISTORY
from models.release.shelf import BUNDLES, REPORTS, VERDICTS, Shelf
from models.version import code_version
from models.weights import SHIPPED, bundle_folder
from station.core.durable import make_folder, staged_folder
from station.core.errors import BackupError
from station.core.settings import Settings, data_dir
from station.host.bundles import find_shelf
from station.host.recipes import find_bundles
from station.labels.database import reading
from station.offline.upkeep.backup.contents import (
    CONFIGURATION,
    LABELS,
    MANIFEST,
    MODELS,
    OWN_BUNDLES,
    Backup,
    Manifest,
    demand_models,
    described,
    open_backup,
)
from station.offline.upkeep.backup.page import save_page
from station.records.copying import copy_database
from station.records.database import DATABASE
from station.records.folder import FOLDER_MODE
from station.records.reading import as_it_lies
from station.records.trouble import PRIMARY_CODE

SHELVED = (HISTORY, HEAD, BUNDLES, REPORTS, VERDICTS)
"""What a backup holds of the folder of models."""
OF_THE_TARGET = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
"""What only a database that is written complains of; the station's own is read."""


def make_backup(settings: Settings, configuration: bytes, data: Path | None, target: Path, now: datetime) -> Backup:
    """Save what a station cannot make anew into a new folder, which is there whole or not at all.

    Args:
        settings: Says the station's name, where its data and models lie, and which bundles it needs.
        configuration: The same as its file.
        data: The station's data folder; None for the configured one.
        target: Where backups lie; made if need be.
        now: The date; it is in the folder's name.

    Raises:
        BackupError: It cannot be written.
        RecordError: There is no database, or it is damaged.
        LabelError: The database of the labels is damaged.
        PageError: The database of the operator page is damaged.
        ModelError: A configured bundle, a promoted one or their history cannot be used.
    """
    place = target / f"{re.sub('[^A-Za-z0-9._-]+', '-', settings.station.name)}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    with _new_folder(place) as staged:
        (staged / CONFIGURATION).write_bytes(configuration)
        version = _save_database(data_dir(settings, data), staged)
        _save_labels(data_dir(settings, data), staged)
        save_page(data_dir(settings, data), staged)
        _save_models(find_shelf(settings, data), staged)
        _save_bundles(find_bundles(settings, data).values(), find_shelf(settings, data), staged)
        manifest = Manifest(
            station=settings.station.name, made_at=now, made_by=code_version(), database_version=version,
            map_versions={name: map_version(name) for name in MAP_NAMES}, files=described(staged),
        )  # fmt: skip
        (staged / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        found = open_backup(staged)
    return replace(found, folder=place)


def _save_database(data: Path, staged: Path) -> int:
    with as_it_lies(data) as (connection, version):
        _copy(connection, staged / DATABASE)
        return version


def _save_labels(data: Path, staged: Path) -> None:
    with reading(data) as connection:
        if connection is not None:
            _copy(connection, staged / LABELS)


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    try:
        copy_database(connection, target)
    except OSError as error:
        raise BackupError("backup.not_written", f"{error.filename}: {error.strerror}") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE in OF_THE_TARGET:
            raise BackupError("backup.not_written", f"{target}: {error}") from error
        raise


def _save_models(shelf: Shelf, staged: Path) -> None:
    if not shelf.folder.is_dir():
        return
    with shelf.at_rest():
        demand_models(shelf)
        for name in SHELVED:
            source = shelf.folder / name
            if source.is_dir():
                shutil.copytree(source, staged / MODELS / name, ignore=shutil.ignore_patterns(".*"))
            elif source.is_file():
                (staged / MODELS).mkdir(exist_ok=True)
                shutil.copyfile(source, staged / MODELS / name)


def _save_bundles(bundles: Iterable[Bundle], shelf: Shelf, staged: Path) -> None:
    """Save those that lie in folders of their own, each once, whatever names the configuration has for it."""
    elsewhere = (bundle_folder(SHIPPED).parent, shelf.folder / BUNDLES)
    own = {str(bundle.identity): bundle for bundle in bundles if bundle.folder.parent not in elsewhere}
    for name, bundle in own.items():
        shutil.copytree(bundle.folder, staged / OWN_BUNDLES / name)


@contextmanager
def _new_folder(place: Path) -> Iterator[Path]:
    """A folder to fill, moved to its place when all of it is on the disk; nothing is left where that fails."""
    try:
        make_folder(place.parent, FOLDER_MODE)
        with staged_folder(place, mode=FOLDER_MODE) as staged:
            yield staged
    except FileExistsError as error:
        raise BackupError("backup.not_written", f"{place} is there already") from error
    except OSError as error:
        raise BackupError("backup.not_written", f"{error.filename or place}: {error.strerror or error}") from error
