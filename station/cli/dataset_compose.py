"""`station dataset compose`: a recording of whole parts from folders of pictures."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.cli.terminal import ConfigOption, err, out, progress, refuse, settings_of
from station.core.errors import ConfigError, StationError
from station.core.part import PartType
from station.core.settings import Settings

if TYPE_CHECKING:
    from station.offline.composing import Doubted

NAMED = 5
"""Parts of a reason that are told by name."""


def compose(
    pictures: Annotated[Path, typer.Argument(metavar="PICTURES", help="A folder of class folders, or of splits.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; it is made if it is not there.")],
    part_type: Annotated[
        str | None, typer.Option(metavar="NAME", help="Type of all parts; may be left out where there is but one.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Class of parts; may be repeated; by default every class folder."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=9_999, help="Parts of each class.")] = 10,
    defective_patches: Annotated[
        int | None,
        typer.Option(min=1, help="Patches of a defective part that show its defect, among good ones; by default all."),
    ] = None,
    unseen_by: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="Leave out the pictures that this data set trains or validates on."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=999_999, help="Of pictures and places; part of the part ids.")] = 1,
    config: ConfigOption = None,
) -> None:
    """Compose scans of whole parts from pictures by class, one picture a patch, for `station --simulate` to play.

    The same options give the same scans. Such a scan is no turn, and its list says so (composed: true).
    """
    from models.dataset.composing import Composition
    from models.dataset.store import read_data
    from station.offline.composing import compose_recording

    settings = settings_of(config, "simulate.toml")
    try:
        plan = Composition(
            pictures, _type_named(part_type, settings), settings.table, tuple(label or ()), count, defective_patches,
            seed, read_data(unseen_by) if unseen_by else None,
        )  # fmt: skip
        with progress("composing") as tell:
            written, doubted = compose_recording(folder, plan, settings, tell)
    except StationError as error:
        refuse(error)
    out.print(f"{written} scans in {folder}", highlight=False, soft_wrap=True)
    _tell(doubted)


def _type_named(name: str | None, settings: Settings) -> PartType:
    kinds = {kind.name: kind for kind in settings.known_types}
    if name is None and len(kinds) == 1:
        return next(iter(kinds.values()))
    if name is None:
        raise ConfigError("config.bad_option", f"--part-type: say of which type the parts are: {', '.join(kinds)}")
    if name not in kinds:
        raise ConfigError("config.bad_option", f"--part-type {name}: configured are {', '.join(kinds)}")
    return kinds[name]


def _tell(doubted: Sequence["Doubted"]) -> None:
    """What the station would refuse, by reason."""
    parts = defaultdict(list)
    for one in doubted:
        parts[one.error.code].append(one)
    for code, own in parts.items():
        names = ", ".join(one.part_id for one in own[:NAMED])
        more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
        told = f"{len(own)} would go to review, {code}: {names}{more}; the first: {own[0].error.detail}"
        err.print(told, highlight=False, markup=False, soft_wrap=True)
