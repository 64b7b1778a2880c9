"""`station backup`: save what a station cannot make anew, see whether it is whole, put it back."""

from datetime import UTC, datetime
from functools import partial
from importlib.resources import as_file
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from config import bundled
from station.cli.terminal import ConfigOption, DataOption, err, out
from station.core.clock import SystemClock
from station.core.errors import BackupError, ConfigError
from station.core.settings import Settings, data_dir, load_settings, read_configuration
from station.offline.upkeep.backup import Piece

if TYPE_CHECKING:
    from models.release.shelf import Shelf
    from station.offline.upkeep.backup.contents import Backup

backup_app = typer.Typer(
    help="Make, verify and restore backups of database, labels, page, models and configuration.", no_args_is_help=True,
    rich_markup_mode=None,
)  # fmt: skip

BackupArgument = Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that `make` named.")]


@backup_app.command()
def make(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="Where backups lie; each is a new folder in it.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Save database, labels, the page's people, promoted models and configuration, also while the station runs."""
    from station.offline.upkeep.backup.last import note
    from station.offline.upkeep.backup.make import make_backup

    with as_file(bundled("simulate.toml")) as shipped:
        settings, content = read_configuration(config or shipped)
    backup = make_backup(settings, content, data, target, datetime.now(UTC))
    _tell(backup)
    try:
        note(backup, data_dir(settings, data))
    except BackupError as error:
        err.print(escape(str(error)), soft_wrap=True, highlight=False)


@backup_app.command()
def verify(backup: BackupArgument) -> None:
    """Check every file of a backup: whether it is as it was made, and whether this program can use it."""
    from station.offline.upkeep.backup.contents import open_backup

    _tell(open_backup(backup))


@backup_app.command()
def restore(
    backup: BackupArgument,
    only: Annotated[
        list[Piece] | None, typer.Option(help="Only this; may be given more than once. By default all that it holds.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="Where the configuration goes; by default it stays in the backup."
        ),
    ] = None,
    data: DataOption = None,
    models: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the models go; by default where the saved configuration says."),
    ] = None,
) -> None:
    """Put a backup in place of what lies there, which is kept beside it; no station may be at work there."""
    from station.offline.upkeep.backup.contents import CONFIGURATION, open_backup
    from station.offline.upkeep.backup.restore import restore as put_back

    found = open_backup(backup)
    pieces = only or found.pieces
    folder, shelf = _places(backup, data, models, pieces)
    page_ready = partial(_page_ready, found.manifest.made_at)
    for line in put_back(found, pieces, folder, shelf, config, datetime.now(UTC), page_ready):
        out.print(escape(f"restored {line}"), soft_wrap=True, highlight=False)
    if config is None and Piece.CONFIGURATION in pieces:
        out.print(escape(f"the configuration is in {backup / CONFIGURATION}"), soft_wrap=True, highlight=False)
    _remark(found)


def _places(
    backup: Path, data: Path | None, models: Path | None, pieces: "tuple[Piece, ...] | list[Piece]"
) -> "tuple[Path, Shelf]":
    """The data folder and the folder of models.

    Raises:
        ConfigError: Models that lie apart from the data folder would be replaced in a rehearsal in another one.
    """
    from models.release.shelf import Shelf
    from station.host.bundles import MODELS, find_shelf
    from station.offline.upkeep.backup.contents import CONFIGURATION

    if data is not None and models is not None:
        return data, Shelf(models)
    settings: Settings = load_settings(backup / CONFIGURATION)
    if data is not None and settings.model.models_dir and Piece.MODELS in pieces:
        where = settings.model.models_dir
        raise ConfigError(
            "config.invalid", f"with --data, say with --models where the models go; the station's own lie in {where}"
        )
    folder = data_dir(settings, data)
    return folder, Shelf(models) if models else Shelf(folder / MODELS) if data else find_shelf(settings)


def _page_ready(made_at: datetime, path: Path) -> None:
    from station.page.restored import bring_to_rest

    bring_to_rest(path, made_at, SystemClock())


def _tell(backup: "Backup") -> None:
    manifest = backup.manifest
    size = sum(file.bytes for file in manifest.files.values())
    pieces = ", ".join(backup.pieces)
    said = f"{backup.folder}: {pieces}; {len(manifest.files)} files, {size / 1e6:.1f} MB, whole"
    out.print(
        escape(f"{said}; {manifest.station}, {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"), soft_wrap=True, highlight=False
    )
    _remark(backup)


def _remark(backup: "Backup") -> None:
    for remark in backup.remarks():
        err.print(escape(f"But {remark}."), soft_wrap=True, highlight=False)
