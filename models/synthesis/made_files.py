"""What a data set says of images that were made, and a data set written again with them behind all that it held."""

from collections.abc import Iterator

import numpy as np

from models.dataset.manifest import DataHeading, Method
from models.dataset.store import DataSet, Entry


def made_path(method: Method, name: str, number: int) -> str:
    """Where an image of a class would lie, were it a file; no camera's file has such a name."""
    return f"made/{method}/{name}/{number:05d}.png"


def with_source(data: DataSet, name: str, told: str) -> DataHeading:
    """The heading of a data set that holds another one, and what was made."""
    heading = {field: getattr(data.manifest, field) for field in DataHeading.model_fields}
    return DataHeading(**heading | {"name": name, "source": f"{data.manifest.source}; {told}"})


def again(data: DataSet) -> Iterator[Entry]:
    """Everything that a data set holds, in its order."""
    for number, file in enumerate(data.manifest.files):
        rows = np.flatnonzero(data.files == number)
        parts = data.parts[rows]
        yield Entry(
            file, np.asarray(data.images[rows], np.uint8), data.labels[rows], data.levels[rows],
            int(data.part_labels[rows[0]]), int((parts == parts[0]).sum()),
        )  # fmt: skip
