"""What `manifest.json` says of a data set: where every image comes from, by which rule it is labelled, and all hashes.

Format 1 has neither passing class nor geometry, format 2 neither sources nor levels; both are read as what they were.
Format 4 is format 3 with images among them that no camera took; a station that does not know these refuses it.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.manifest import ScanGeometry

Kind = Literal["patches", "whole", "class_folders"]
SourceKind = Literal["recording", "part_labels", "records", "patch_folders", "class_folders"]
SplitName = Literal["train", "validation", "test"]
Method = Literal["augmentation", "blending", "sdg-gan", "dcgan"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]

SINCE_FORMAT_1 = frozenset({"images", "labels", "groups", "splits", "files"})
"""Names of the arrays that every data set has."""
SINCE_FORMAT_3 = frozenset({"levels", "parts", "part_labels"})
"""Names of those that format 1 and 2 have not."""
MADE_SINCE = 4
"""The first format that may hold images which were made."""
NAMED = 4
"""So many hashes are told of."""
SLIVER = -1
"""Label of an image that shows too little of a defect for anybody to tell its class. Not trained on, not counted."""
UNLABELLED = -1
"""Label of an image of level PART: nobody said anything of it, only of its part."""


class Split(IntEnum):
    """What an image is for."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2


_SPLIT_NAMES: tuple[SplitName, ...] = ("train", "validation", "test")


def split_name(split: Split) -> SplitName:
    """A split's name in the manifest."""
    return _SPLIT_NAMES[split]


class Level(IntEnum):
    """What an image's label rests on."""

    PART = 0
    """Nothing but its part's label, which says not where the defect lies: UNLABELLED."""
    PATCH = 1
    """Somebody said it of this very image; or of the whole part that it is good, and then so is every patch of it."""
    MASK = 2
    """Marked pixels, and how many of them the image shows."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MadeOf(_Section):
    """How an image that no camera took was made.

    Attributes:
        method: By which method.
        of: The files of the data set that it was made of, by their SHA-256; of a blended one the defect's first. Empty
            where a network drew it: then all that this learnt from.
        seed: Of what was drawn.
        maker_sha256: Of the network that drew it, one of the data set's makers; None where none did.
    """

    method: Method
    of: tuple[Sha256, ...] = ()
    seed: Count
    maker_sha256: Sha256 | None = None


class Maker(_Section):
    """A network that drew images.

    Attributes:
        sha256: Of the file of its weights.
        of: The files of the data set that it learnt from, by their SHA-256.
    """

    sha256: Sha256
    of: Annotated[tuple[Sha256, ...], Field(min_length=1)]


class DataFile(_Section):
    """A scan or picture that images were taken from, or an image that was made.

    Attributes:
        path: Where it was, from the folder that holds the recording or the class folders.
        sha256: Of its bytes; of patches that came as files, of the scan that they were cut from; of what was made, of
            its pixels.
        truth_sha256: Of its mask's bytes; None where there is no mask.
        said_sha256: Of what people, or folders, say of it; None where neither was asked.
        part_id: Of the part that it shows; None of pictures, and where nobody knows.
        group: Number of its group; a group lies in one split whole.
        label: Class of the whole picture; where nobody said, the severest that is marked on it.
        split: `train`, `validation` or `test`.
        made: How it was made; None of what a camera took.
    """

    path: str
    sha256: Sha256
    truth_sha256: Sha256 | None = None
    said_sha256: Sha256 | None = None
    part_id: str | None = None
    group: Count
    label: str
    split: SplitName
    made: MadeOf | None = None


class LabelState(_Section):
    """Which labels of people a data set rests on; they are only ever added to, so this tells them again.

    Attributes:
        count: How many there are.
        sha256: Of all of them, in the order of their texts.
        latest: The moment at which the last of them was said, in UTC; nothing where there are none.
    """

    count: Count
    sha256: Sha256
    latest: str = ""


class DataSource(_Section):
    """A folder that a data set was made of.

    Attributes:
        kind: Which kind of folder.
        name: Its name.
        split: The split that it was given for; None where it was shared out, or came with splits.
        filters: What of it was asked for, by the name of the option.
        taken: How many scans or pictures were taken.
        trusted: How many of them bear the station's own verdict as their label, because somebody trusted it.
        left_out: How many were not taken, by why not.
        labels: What people said of those that were taken; None where nobody was asked.
    """

    kind: SourceKind
    name: str
    split: SplitName | None = None
    filters: dict[str, str] = Field(default_factory=dict)
    taken: Count
    trusted: Count = 0
    left_out: dict[str, int] = Field(default_factory=dict)
    labels: LabelState | None = None


def in_words(sources: Iterable[DataSource]) -> str:
    """Folders and what they were given for, in one line."""
    uses: dict[str, list[str]] = {}
    for source in sources:
        uses.setdefault(f"{source.split} " if source.split else "", []).append(source.name)
    return "; ".join(f"{use}{', '.join(names)}" for use, names in uses.items())


class DataHeading(_Section):
    """What a data set is.

    Attributes:
        name: Its name in reports.
        kind: Patches of scans, whole scans, or pictures from folders of classes.
        classes: Names of the classes; a label is an index into them.
        passing: The one of them with which a picture is good; None where nobody said, or none is.
        geometry: How the patches were cut from a scan; None of pictures that were not, or where nobody wrote it down.
        height: Of every image in px.
        width: Of every image in px.
        source: Where the pictures come from, for people; folders in the order of their numbers.
        sources: The same folders, each with what was taken of it; none of a data set of format 1 or 2.
        seed: Of splits, jitter and cuts.
        jitter_px: By how many columns, at most, the edges of a part were moved.
        cuts: How many times a scan that trains was cut, each time from another line of its turn.
        shares: Percent of the groups for training, validation and test, as asked for.
        rule: How an image's label follows from the truth, for people.
        makers: The networks that drew images of it.
    """

    name: Annotated[str, Field(min_length=1)]
    kind: Kind
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    passing: str | None = None
    geometry: ScanGeometry | None = None
    height: Annotated[int, Field(gt=0)]
    width: Annotated[int, Field(gt=0)]
    source: str
    sources: tuple[DataSource, ...] = ()
    seed: Count
    jitter_px: Count = 0
    cuts: Annotated[int, Field(ge=1)] = 1
    shares: tuple[int, int, int]
    rule: str = "the picture's class"
    makers: tuple[Maker, ...] = ()

    @property
    def good(self) -> int | None:
        """The number of the class that passes, or None."""
        return None if self.passing is None else self.classes.index(self.passing)


class DataManifest(DataHeading):
    """The heading, every source file, and the SHA-256 of every array."""

    format: Literal[1, 2, 3, 4] = 3
    images: Count
    files: tuple[DataFile, ...]
    arrays: dict[str, Sha256]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.arrays) != SINCE_FORMAT_1 | (SINCE_FORMAT_3 if self.format >= 3 else frozenset()):
            raise ValueError(f"arrays {sorted(self.arrays)}")
        if unknown := {file.label for file in self.files} - set(self.classes):
            raise ValueError(f"labels that are no classes: {sorted(unknown)}")
        if self.passing is not None and self.passing not in self.classes:
            raise ValueError(f"passing: {self.passing} is none of the classes {', '.join(self.classes)}")
        self._require_known_making()
        return self

    def _require_known_making(self) -> None:
        """Nothing judges by what was made, nor was it made of anything that judges, or that is not here."""
        trains = {file.sha256 for file in self.files if file.split == "train" and file.made is None}
        for file in self.files:
            if file.made is None:
                continue
            if self.format < MADE_SINCE or file.split != "train":
                raise ValueError(f"{file.path} was made, and is for {file.split} in a data set of format {self.format}")
            made_of = self.made_of(file.made)
            if not made_of:
                raise ValueError(f"{file.path} was made, and nothing says of what")
            if not made_of <= trains:
                strange = ", ".join(sorted(made_of - trains)[:NAMED])
                raise ValueError(f"{file.path} was made of what does not train here: {strange}")

    def made_of(self, made: MadeOf) -> frozenset[str]:
        """The files that an image was made of, by their SHA-256."""
        drawn = [maker.of for maker in self.makers if maker.sha256 == made.maker_sha256]
        return frozenset(made.of).union(*drawn)
