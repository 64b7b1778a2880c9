"""What a data set holds, for people: by split the classes of its images and parts, and where they come from."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from station.cli.terminal import err, out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.dataset.manifest import DataSource
    from models.dataset.store import DataSet

MOST_NAMED = 20
"""What was left out, named one by one."""


def tell_left_out(names: Sequence[str]) -> None:
    """Name what nobody learns from, each with the reason; the first of many, and how many there are."""
    for name in names[:MOST_NAMED]:
        err.print(f"left out: {name}", highlight=False, markup=False, soft_wrap=True)
    if len(names) > MOST_NAMED:
        err.print(f"left out: {len(names) - MOST_NAMED} more", highlight=False)


def tell_unfit(data: "DataSet") -> None:
    """Say what would keep a network that is trained on this from a station."""
    from models.meaning import NAMES, unconfigurable

    if strange := unconfigurable(data.classes):
        err.print(f"for export rename {', '.join(strange)}: {NAMES}", highlight=False, markup=False, soft_wrap=True)
    if data.manifest.passing is None:
        told = "no class passes: a network trained on this cannot judge parts; name the class of good ones (--passing)"
        err.print(told, highlight=False, markup=False, soft_wrap=True)


def print_data(data: "DataSet") -> None:
    """Print all of it."""
    manifest = data.manifest
    out.print(f"{manifest.name}: {manifest.images:,} images of {manifest.height}x{manifest.width}", highlight=False)
    out.print(_table("images", data, list(_images(data))))
    out.print(_table("parts", data, list(_parts(data))))
    for name in ("kind", "passing", "source", "rule", "seed"):
        value = escape(str(getattr(manifest, name) or "-"))
        out.print(f"{name:>8} {value}", highlight=False, soft_wrap=True)
    for source in manifest.sources:
        out.print(f"{'of':>8} {escape(_told(source))}", highlight=False, soft_wrap=True)
    out.print(f"{'sha256':>8} {data.sha256}", highlight=False)


Row = tuple[str, "NDArray[np.bool_]"]
"""What is counted, and which images it is."""


def _images(data: "DataSet") -> Iterator[Row]:
    """Every class, what the labels rest on, and what has none."""
    from models.dataset.store import Level

    labelled = data.labels >= 0
    yield from ((name, data.labels == number) for number, name in enumerate(data.classes))
    yield "labelled by marked pixels", labelled & (data.levels == Level.MASK)
    yield "labelled one by one, or of good parts", labelled & (data.levels == Level.PATCH)
    yield "only their part is labelled", ~labelled & (data.levels == Level.PART)
    yield "slivers and doubtful, left out", ~labelled & (data.levels != Level.PART)
    yield "made: no camera took them", data.made


def _parts(data: "DataSet") -> Iterator[Row]:
    """The first image of every part, by the part's class; and of every group."""
    import numpy as np

    first = np.isin(np.arange(len(data.parts)), np.unique(data.parts, return_index=True)[1])
    yield from ((name, first & (data.part_labels == number)) for number, name in enumerate(data.classes))
    yield "of unknown class", first & (data.part_labels < 0)
    group = np.isin(np.arange(len(data.groups)), np.unique(data.groups, return_index=True)[1])
    yield "groups, each in one split", group


def _table(what: str, data: "DataSet", rows: Sequence[Row]) -> Table:
    from models.dataset.store import Split

    table = Table(what, *(split.name.lower() for split in Split))
    for name, chosen in rows:
        counts = [int((chosen & (data.splits == split)).sum()) for split in Split]
        table.add_row(escape(name), *(f"{count:,}" for count in counts))
    return table


def _told(source: "DataSource") -> str:
    """A folder, what was taken of it, on whose word, and what was not."""
    parts = [
        f"{source.kind.replace('_', ' ')} {source.name}, for {source.split or 'all splits'}: {source.taken:,} taken"
    ]
    if source.filters:
        parts.append(", ".join(f"--{name} {value}" for name, value in source.filters.items()))
    if source.trusted:
        parts.append(f"{source.trusted:,} on the station's own verdict")
    if source.labels is not None:
        parts.append(f"{source.labels.count:,} labels to {source.labels.latest or '-'}, {source.labels.sha256[:12]}")
    parts += [f"left out {count:,}: {reason}" for reason, count in source.left_out.items()]
    return "; ".join(parts)
