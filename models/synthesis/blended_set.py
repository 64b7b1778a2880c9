"""A data set with blended defects in it: all that it held, and new images, each marked as made and of what.

    DATA ─ defects that train, with their masks ─ cut out ─┐
         └ good images that train ─────────────────────────┴─ blend ─ seen? ─▶ OUT: DATA's images, then the made ones

Nothing is taken from what judges. A blended defect that can hardly be seen on its new ground is no picture of its class
and is drawn again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.dataset.manifest import DataFile, DataHeading, MadeOf
from models.dataset.pictures import pixels_sha256, read_picture
from models.dataset.store import DataSet, Entry, Level, Split, check_place, write_data
from models.errors import DatasetError
from models.synthesis.blending import CutOut, blend
from models.synthesis.made_files import again, made_path, with_source
from models.synthesis.standing_out import GoodSurface, prominence, with_margin
from station.core.part import Pixels

CONTRASTS = (0.8, 1.2)
"""A defect stands out so many times as far as on its own patch, evenly drawn between."""
SEEN_SHARE = 0.5
"""What stands out less than so much of what the cut-out does is not seen."""
TRIES = 50
"""After so many draws in a row that nobody would see a class cannot be blended."""
MOST_GOOD = 64
"""So many good patches tell what good surface shows."""
FEW = 3
"""Of so few defects the blended ones are near copies."""


@dataclass(frozen=True, slots=True)
class BlendPlan:
    """What is to be blended.

    Attributes:
        name: The new data set's.
        count: Images to make of each class.
        classes: Of these; empty for every defect.
        masks: Folder with a mask for each file of the data set, a PNG where the data set has the file; None to take
            what stands out of good surface.
        seed: Of all that is drawn.
    """

    name: str
    count: int
    classes: tuple[str, ...] = ()
    masks: Path | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Original:
    """A defect that may be blended.

    Attributes:
        cut_out: The defect on its patch.
        file: Where it comes from.
        image: Its number in the data set.
    """

    cut_out: CutOut
    file: DataFile
    image: int


@dataclass(frozen=True, slots=True)
class Blended:
    """An image that was made.

    Attributes:
        image: (height, width) uint8.
        mask: (height, width), where its defect lies.
        file: What the data set says of it.
        of: The defect that it shows.
    """

    image: Pixels
    mask: NDArray[np.bool_]
    file: DataFile
    of: Original


@dataclass(frozen=True, slots=True)
class BlendedSet:
    """What came of it.

    Attributes:
        data: The new data set.
        made: Every image that was made, by class.
        left_out: Defects that were not cut out, each with the reason.
        told: What whoever trains on it should know.
    """

    data: DataSet
    made: dict[str, list[Blended]]
    left_out: tuple[str, ...]
    told: tuple[str, ...]


def add_blended(
    folder: Path, data: DataSet, plan: BlendPlan, done: Callable[[int, int], None] = lambda _done, _all: None
) -> BlendedSet:
    """Write a data set anew with blended defects among what trains.

    Args:
        folder: Where it goes; nothing may lie there.
        data: The data set.
        plan: What is to be blended.
        done: Called after each image with how many are made and in all.

    Raises:
        DatasetError: The choices or the images do not allow it, or it cannot be written.
    """
    classes = _chosen_classes(data, plan)
    rows = len(data.images) + plan.count * len(classes)
    check_place(folder, rows * data.manifest.height * data.manifest.width)
    backgrounds = _good(data)
    surface = GoodSurface.of(np.asarray(data.images[backgrounds[:: max(1, len(backgrounds) // MOST_GOOD)]]))
    left_out: list[str] = []
    made: dict[str, list[Blended]] = {}
    for position, name in enumerate(classes):
        originals = list(_originals(data, name, plan, surface, left_out))
        if not originals:
            told = f"class {name}: no defect could be cut out. {'; '.join(left_out[-3:]) or 'No image of it trains'}"
            raise DatasetError("dataset.bad_source", told)
        draw = _Draw(data, backgrounds, originals, np.random.default_rng([plan.seed, position]), plan.seed)
        made[name] = []
        for number in range(plan.count):
            made[name].append(draw.one(name, number))
            done(position * plan.count + number + 1, plan.count * len(classes))
    copies = tuple(_told(name, made[name]) for name in classes if len({one.of.image for one in made[name]}) <= FEW)
    heading = with_source(data, plan.name, f"{plan.count} blended of {', '.join(classes)}")
    return BlendedSet(write_data(folder, heading, _entries(data, heading, made), rows), made, tuple(left_out), copies)


def _chosen_classes(data: DataSet, plan: BlendPlan) -> tuple[str, ...]:
    passing = data.manifest.passing
    if passing is None:
        told = f"{data.folder}: no class passes, so there is no good surface to blend into; make it with --passing"
        raise DatasetError("dataset.bad_choice", told)
    defects = tuple(name for name in data.classes if name != passing)
    if strange := [name for name in plan.classes if name not in defects]:
        told = f"{', '.join(strange)}: not a class of defects of {data.folder}; these are {', '.join(defects)}"
        raise DatasetError("dataset.bad_choice", told)
    return tuple(name for name in defects if name in plan.classes) if plan.classes else defects


def _good(data: DataSet) -> NDArray[np.intp]:
    """The good images that train and that a camera took; at least one."""
    train = data.taken(Split.TRAIN)
    good: NDArray[np.intp] = train[data.labels[train] == data.manifest.good]
    if not len(good):
        raise DatasetError(
            "dataset.bad_source", f"{data.folder}: no good image trains, so there is nothing to blend into"
        )
    return good


def _originals(
    data: DataSet, name: str, plan: BlendPlan, surface: GoodSurface, left_out: list[str]
) -> Iterator[Original]:
    """The defects of a class that train, with the mask of each; what cannot be cut out is told of."""
    train = data.taken(Split.TRAIN)
    of_class = train[data.labels[train] == data.classes.index(name)]
    for image in of_class.tolist():
        patch, file = np.asarray(data.images[image], np.uint8), data.manifest.files[int(data.files[image])]
        mask = surface.defect_on(patch) if plan.masks is None else _mask_of(plan.masks, file, patch, data)
        if mask is None or not mask.any():
            why = "nothing on it stands out of good surface, or nearly all of it; give --masks"
            left_out.append(f"{file.path}: {why if plan.masks is None else 'its mask is missing, or marks nothing'}")
            continue
        yield Original(CutOut(patch, mask), file, image)


def _mask_of(folder: Path, file: DataFile, patch: Pixels, data: DataSet) -> NDArray[np.bool_] | None:
    """The mask that somebody drew of a picture; of a picture's patches none is there."""
    path = (folder / file.path).with_suffix(".png")
    if not path.exists():
        return None
    mask = read_picture(path)
    if data.manifest.kind == "patches":
        told = f"{data.folder}: masks are of whole scans, and its images are patches; leave --masks out"
        raise DatasetError("dataset.bad_choice", told)
    fitted = cv2.resize(mask, patch.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return with_margin(np.asarray(fitted, np.uint8))


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws of one class: every original in turn, on a good image at random."""

    data: DataSet
    backgrounds: NDArray[np.intp]
    originals: Sequence[Original]
    rng: np.random.Generator
    seed: int

    def one(self, name: str, number: int) -> Blended:
        """The next image of a class.

        Raises:
            DatasetError: Nobody would see these defects on this surface.
        """
        for attempt in range(TRIES):
            of = self.originals[(number + attempt) % len(self.originals)]
            background = int(self.rng.choice(self.backgrounds))
            image, mask = self._blended(of, background)
            if _is_seen(of.cut_out, image, mask):
                return Blended(image, mask, self._file(name, number, image, of, background), of)
        told = (
            f"class {name}: on good surface of {self.data.folder} its defects are hardly seen, {TRIES} draws in a row"
        )
        raise DatasetError("dataset.bad_source", told)

    def _blended(self, of: Original, background: int) -> tuple[Pixels, NDArray[np.bool_]]:
        down, right = (int(step) for step in self.rng.choice((1, -1), 2))
        defect = of.cut_out.read(down, right).of_contrast(self.rng.uniform(*CONTRASTS))
        rows, columns = (int(self.rng.choice(reach)) for reach in defect.reach)
        return blend(defect, np.asarray(self.data.images[background], np.uint8), rows, columns)

    def _file(self, name: str, number: int, image: Pixels, of: Original, background: int) -> DataFile:
        ground = self.data.manifest.files[int(self.data.files[background])]
        parents = tuple(dict.fromkeys((of.file.sha256, ground.sha256)))
        return DataFile(
            path=made_path("blending", name, number), sha256=pixels_sha256(image), group=of.file.group, label=name,
            split="train", made=MadeOf(method="blending", of=parents, seed=self.seed),
        )  # fmt: skip


def _is_seen(cut_out: CutOut, image: Pixels, mask: NDArray[np.bool_]) -> bool:
    own = float(prominence(cut_out.patch)[cut_out.mask].max())
    return float(prominence(image)[mask].max()) >= SEEN_SHARE * own


def _told(name: str, made: Sequence[Blended]) -> str:
    count = len({one.of.image for one in made})
    return f"class {name}: all {len(made)} blended images show the same {count} defects; collect more of them"


def _entries(data: DataSet, heading: DataHeading, made: dict[str, list[Blended]]) -> Iterator[Entry]:
    yield from again(data)
    level = np.array([Level.PATCH], np.uint8)
    for name, images in made.items():
        label = np.array([heading.classes.index(name)], np.int16)
        for one in images:
            yield Entry(one.file, one.image[np.newaxis], label, level)
