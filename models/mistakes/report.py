"""The likely mistakes of a data set as one HTML page with their pictures; it loads nothing."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from models.dataset.store import DataSet
from models.evaluation.figures.wording import name, percent
from models.evaluation.report import page
from models.mistakes.document import LikelyMistake, Mistakes
from station.core.part import Pixels

HEAD = ("File", "Image", "Given", "Suggested", "Self-confidence")
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 88)
READING = """\
Listed are labels whose class a network that had not seen them finds unlikely, as many of each pair of classes as its \
sure answers let expect. A person decides: some of them are right, and hard.
Given is what the label says, suggested the likeliest class; self-confidence is the probability of the given one.
What the networks have learnt wrongly from many wrong labels of one kind is not found so."""


def render(found: Mistakes, data: DataSet, most: int) -> str:
    """The page, with the pictures of the first `most`."""
    shown = found.mistakes[:most]
    return page.page(
        "Likely mistakes among the labels",
        _header(found),
        page.section("How to read this", page.points(READING.splitlines())),
        page.section("Labels by class", page.table(*_joint(found))),
        page.section("Pictures, the least likely labels first", page.grid(_figures(shown, data), "pictures")),
        page.section("All of them", page.table(HEAD, _rows(found))),
    )


def _header(found: Mistakes) -> str:
    count = len(found.mistakes)
    facts = [
        ("Data set", found.data),
        ("Data SHA-256", found.data_sha256),
        ("By the answers of", found.source),
        ("Likely wrong", f"{count:,} of {found.images:,} labels, {percent(count / found.images)}"),
        ("Made by", f"version {found.code_version}"),
    ]
    return f"<header><h1>Likely mistakes among the labels</h1>{page.facts(facts)}</header>"


def _joint(found: Mistakes) -> tuple[Sequence[str], Iterable[Sequence[str]]]:
    names = [name(one) for one in found.classes]
    rows = ((one, *(f"{value:,.1f}" for value in row)) for one, row in zip(names, found.joint, strict=True))
    return ("given ↓  likely →", *names), rows


def _figures(shown: Iterable[LikelyMistake], data: DataSet) -> Iterable[str]:
    for one in shown:
        caption = (
            f"{one.file}, image {one.image}: given {name(one.given)} ({one.self_confidence:.3f}), "
            f"suggested {name(one.suggested)} ({one.confidence:.3f})"
        )
        yield page.figure(page.image(_jpeg(np.asarray(data.images[one.index], np.uint8)), caption), caption)


def _rows(found: Mistakes) -> Iterable[Sequence[str]]:
    for one in found.mistakes:
        suggested = f"{name(one.suggested)} {one.confidence:.3f}"
        yield one.file, str(one.image), name(one.given), suggested, f"{one.self_confidence:.4f}"


def _jpeg(image: Pixels) -> bytes:
    _done, encoded = cv2.imencode(".jpg", image, JPEG)
    return bytes(encoded.tobytes())
