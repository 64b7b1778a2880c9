"""What a backup consists of, and whether it is as it was made."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from drivers.modbus.register_map import MAP_NAMES, map_version
from models.errors import LabelError
from models.manifest import MANIFEST as BUNDLE_MANIFEST
from models.manifest import load_bundle
from models.release.shelf import Shelf
from models.version import code_version
from station.core.errors import BackupError, ConfigError, RecordError
from station.core.section import Section
from station.core.settings import load_settings
from station.labels import database as labels
from station.offline.upkeep.backup import Piece
from station.offline.upkeep.backup.page import PAGE, demand_page
from station.records.database import DATABASE
from station.records.schema import read_version
from station.records.trouble import translated

MANIFEST, CONFIGURATION, MODELS, LABELS = "manifest.json", "configuration.toml", "models", labels.DATABASE
OWN_BUNDLES = "bundle"
"""Bundles in folders of their own that the configuration names, each in a folder; the only one may lie here itself, as
in backups of versions that knew one."""


class File(Section):
    """A file of a backup as it was made."""

    bytes: Annotated[int, Field(ge=0, description="Its size.")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Its hash.")]


class Manifest(Section):
    """What a backup holds."""

    format: Annotated[Literal[1], Field(description="How this folder is laid out.")] = 1
    station: Annotated[str, Field(min_length=1, description="Name of the cell.")]
    made_at: Annotated[datetime, Field(description="When, UTC.")]
    made_by: Annotated[str, Field(min_length=1, description="Version of the program that made it.")]
    database_version: Annotated[int, Field(ge=1, description="Version of the database.")]
    map_versions: Annotated[dict[str, int], Field(description="Versions of the register maps that were in use.")]
    files: Annotated[dict[str, File], Field(description="Every other file of the backup, by its path in it.")]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is as it was made.

    Attributes:
        folder: Where it lies.
        manifest: What it holds.
    """

    folder: Path
    manifest: Manifest

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What can be restored of it."""
        held = {PurePosixPath(name).parts[0] for name in self.manifest.files}
        some = ((Piece.LABELS, LABELS), (Piece.PAGE, PAGE), (Piece.MODELS, MODELS))
        return (Piece.DATABASE, *(piece for piece, name in some if name in held), Piece.CONFIGURATION)

    def remarks(self) -> Iterator[str]:
        """What a person should know before restoring it with this version of the program."""
        here = code_version()
        if self.manifest.made_by != here:
            yield f"it was made by version {self.manifest.made_by} of the program, this is {here}"
        for name in MAP_NAMES:
            was, now = self.manifest.map_versions.get(name), map_version(name)
            if was != now:
                yield f"the register map {name} was version {was}, this program has {now}: what talks to it must fit it"
        try:
            load_settings(self.folder / CONFIGURATION)
        except ConfigError as error:
            yield f"this version refuses the configuration: {error.detail}"
            return
        for bundle in own_bundles(self.folder):
            model = load_bundle(bundle).identity
            yield f"the configuration names the folder of the bundle {model}; its files are in {bundle}"


def open_backup(folder: Path) -> Backup:
    """A backup, every file of it checked: its hash, the databases inside, the history of promotions, every bundle.

    Raises:
        BackupError: `backup.unreadable`, or `backup.altered`.
        RecordError: The database is damaged, or of a newer version than this program knows.
        LabelError: The same of the labels.
        PageError: The page's database is damaged.
        ModelError: The history or a bundle cannot be used.
    """
    manifest = _read_manifest(folder)
    try:
        _demand_files(folder, manifest.files)
        _demand_database(folder / DATABASE)
        _demand_labels(folder)
        demand_page(folder)
    except OSError as error:
        raise BackupError("backup.unreadable", f"{error.filename or folder}: {error.strerror}") from error
    demand_models(Shelf(folder / MODELS))
    for bundle in own_bundles(folder):
        load_bundle(bundle)
    return Backup(folder, manifest)


def own_bundles(folder: Path) -> list[Path]:
    """The folders of the bundles that lay in folders of their own, in a backup."""
    own = folder / OWN_BUNDLES
    if not own.is_dir():
        return []
    return [own] if (own / BUNDLE_MANIFEST).is_file() else sorted(own.iterdir())


def demand_models(shelf: Shelf) -> None:
    """Make sure that the history is whole and that every bundle on the shelf can be used.

    Raises:
        ModelError: It is not.
    """
    shelf.history()
    for bundle in shelf.bundles():
        load_bundle(bundle)


def described(folder: Path) -> dict[str, File]:
    """Every file in a folder but its manifest, by its path in it.

    Raises:
        OSError: The disk failed.
    """
    return {str(path.relative_to(folder)): _file(path) for path in _files(folder)}


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BackupError("backup.unreadable", f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BackupError("backup.unreadable", f"{path}: {where}: {first['msg']}") from error


def _demand_files(folder: Path, wanted: dict[str, File]) -> None:
    found = described(folder)
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            raise BackupError("backup.altered", f"{folder / name} is missing")
        if name not in wanted:
            raise BackupError("backup.altered", f"{folder / name} was not there when the backup was made")
        if found[name] != wanted[name]:
            raise BackupError("backup.altered", f"{folder / name} was changed since the backup was made")


def _demand_database(path: Path) -> None:
    with translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as one:
        read_version(one, path)
        problems = [row[0] for row in one.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise RecordError("record.database_damaged", f"{path}: {'; '.join(problems)}")


def _demand_labels(folder: Path) -> None:
    with labels.reading(folder) as connection:
        if connection is None:
            return
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise LabelError("label.database_damaged", f"{folder / LABELS}: {'; '.join(problems)}")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if (path.is_symlink() or not path.is_dir()) and path != folder / MANIFEST:
            yield path


def _file(path: Path) -> File:
    with path.open("rb") as file:
        return File(bytes=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())
