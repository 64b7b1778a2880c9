"""`station dataset cut`: the patches of scans as files, for people to sort into folders of classes."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.terminal import ConfigOption, DataOption, err, out, progress, refuse, settings_of
from station.core.errors import StationError
from station.core.settings import data_dir


def cut(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; nothing may lie there.")],
    scans: Annotated[list[Path], typer.Option("--from", metavar="SCANS", help="A recording, a folder, or a scan.")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Lay the patches of scans out in folders, to be sorted by class with a file manager.

    What is labelled already lies in the folder of its class, all else in unlabelled. Sorted, the folders come back with
    `station label import --format patch-folders`.
    """
    from station.host.records import read_records
    from station.labels.build import open_labels
    from station.labels.formats.archive import Archive
    from station.offline.cutting import Cutting, agreed_patches
    from station.offline.inspect import wanted_images

    settings = settings_of(config, "simulate.toml")
    try:
        archive = Archive(read_records(settings, data), data_dir(settings, data))
        classes = agreed_patches(open_labels(settings, data).labels(), archive)
        with progress("cutting") as tell:
            laid = Cutting(settings, classes).lay_out(folder, list(wanted_images(scans, settings)), tell)
    except StationError as error:
        refuse(error)
    for line in laid.left_out:
        err.print(f"left out: {line}", highlight=False, markup=False, soft_wrap=True)
    told = f"{laid.patches} patches of {laid.scans} scans in {folder}, {laid.labelled} in folders of their classes"
    out.print(told, highlight=False, markup=False, soft_wrap=True)
