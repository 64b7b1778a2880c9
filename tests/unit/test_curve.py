"""Learning curves without a training: nested parts, the law of the errors, and what may be said of more parts."""

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.curve.document import CurvePoint, curve_point, table
from models.curve.picture import picture
from models.curve.power_law import FARTHEST, Point, expect, fit, refusal
from models.curve.subsets import nested, order_of_groups
from models.curve.telling import law_of, told, written
from models.dataset.store import SLIVER, DataFile, DataHeading, DataSet, Entry, Split, write_data
from models.errors import TrainingError
from models.evaluation.figures.metrics import classify
from models.evaluation.figures.rates import rate
from station.cli.model_curve import sizes_named

SIZES = (50, 100, 200, 400)
CLASSES = ("free", "pits", "scratches")


# ---------------------------------------------------------------------- nested parts


def made(folder: Path, counts: tuple[int, ...] = (30, 12, 6)) -> DataSet:
    """So many parts of each class to train on, of four patches; of a defective one a single patch shows it."""
    names = [name for name, count in zip(CLASSES, counts, strict=True) for _ in range(count)]
    names += [*CLASSES, *CLASSES]
    splits = ["train"] * sum(counts) + ["validation"] * 3 + ["test"] * 3
    entries = []
    for number, (name, split) in enumerate(zip(names, splits, strict=True)):
        labels = np.array([0, 0, CLASSES.index(name), SLIVER], np.int16)
        file = DataFile(path=f"{number}.png", sha256="ab" * 32, group=number, label=name, split=split)
        entries.append(Entry(file, np.zeros((4, 8, 8), np.uint8), labels))
    heading = DataHeading(
        name="noise", kind="patches", classes=CLASSES, height=8, width=8, source="noise", seed=1, shares=(80, 10, 10),
        passing="free",
    )  # fmt: skip
    return write_data(folder, heading, entries, 4 * len(entries))


def test_smaller_sets_lie_in_larger_ones_and_hold_whole_parts(tmp_path: Path) -> None:
    data = made(tmp_path / "data")
    sets = nested(data, (4, 12, 48), seed=1)
    for smaller, larger in ((4, 12), (12, 48)):
        assert set(sets[smaller].tolist()) < set(sets[larger].tolist())
    for size, images in sets.items():
        groups = set(data.groups[images].tolist())
        assert len(groups) == size
        assert images.tolist() == [one for one in data.indices(Split.TRAIN).tolist() if int(data.groups[one]) in groups]
        assert SLIVER not in data.labels[images]
    assert sets[48].tolist() == data.indices(Split.TRAIN).tolist()


def test_every_beginning_has_every_class_and_their_shares(tmp_path: Path) -> None:
    data = made(tmp_path / "data")
    ordered = order_of_groups(data, seed=1).tolist()
    kinds = [data.manifest.files[group].label for group in ordered]
    assert set(kinds[:3]) == set(CLASSES)
    for size in range(8, 49):
        counts = Counter(kinds[:size])
        for name, count in zip(CLASSES, (30, 12, 6), strict=True):
            assert abs(counts[name] - size * count / 48) <= 1.5, (size, name)
    assert sorted(ordered) == list(range(48))
    assert order_of_groups(data, seed=1).tolist() == ordered
    assert order_of_groups(data, seed=2).tolist() != ordered


@pytest.mark.parametrize(
    ("sizes", "code", "words"),
    [
        ((8, 4), "training.bad_plan", "rising"),
        ((4, 4), "training.bad_plan", "each once"),
        ((2, 48), "training.bad_plan", "cannot hold 3 classes"),
        ((8, 49), "training.bad_data", "48 are there"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path: Path, sizes: tuple[int, ...], code: str, words: str) -> None:
    with pytest.raises(TrainingError) as caught:
        nested(made(tmp_path / "data"), sizes, seed=1)
    assert caught.value.code == code
    assert words in caught.value.detail


def test_sizes_are_read_from_a_list_with_commas() -> None:
    assert sizes_named("50, 100,200") == [50, 100, 200]
    for text in ("", "50,,100", "50,0", "-1", "fifty"):
        with pytest.raises(TrainingError):
            sizes_named(text)


# ---------------------------------------------------------------------- the law


def exact(a: float, b: float, c: float, tested: int = 100_000) -> list[Point]:
    return [Point(size, round((a * size**-b + c) * tested), tested) for size in SIZES]


@pytest.mark.parametrize(("a", "b", "c"), [(2.0, 0.5, 0.02), (1.5, 0.4, 0.0), (5.0, 1.0, 0.01)])
def test_the_law_that_made_the_errors_is_found(a: float, b: float, c: float) -> None:
    law = fit(exact(a, b, c))
    assert law.b == pytest.approx(b, abs=0.06)
    for size in (50, 300, 1600):
        assert law.error(size) == pytest.approx(a * size**-b + c, rel=0.05)
    assert law.is_better_than_a_constant
    assert law.chi_square < 2


def test_the_more_parts_are_tested_the_more_a_point_weighs() -> None:
    base = exact(2.0, 0.5, 0.02)
    for tested, close in ((200_000, True), (20, False)):
        off = [*base[:3], Point(400, round(0.2 * tested), tested)]
        assert (abs(fit(off).error(400) - 0.2) < 0.02) is close


def test_errors_that_rise_or_vanish_keep_the_law_within_sense() -> None:
    rising = fit([Point(size, size, 1000) for size in SIZES])
    assert rising.a == 0
    assert not rising.is_better_than_a_constant
    nothing = fit([Point(size, 0, 100) for size in SIZES])
    assert nothing.error(400) == pytest.approx(0, abs=1e-9)
    steep = fit([Point(size, wrong, 100) for size, wrong in zip(SIZES, (80, 20, 2, 0), strict=True)])
    assert min(steep.a, steep.c) >= 0
    assert steep.error(1) == 1


def test_the_limits_hold_as_often_as_they_say() -> None:
    a, b, c, tested = 2.0, 0.5, 0.03, 2000
    rng = np.random.default_rng(5)
    inside = []
    for seed in range(40):
        points = [Point(size, int(rng.binomial(tested, a * size**-b + c)), tested) for size in SIZES]
        expected = expect(points, fit(points), 800, seed)
        assert expected.lower <= expected.error <= expected.upper
        inside.append(expected.lower <= a * 800**-b + c <= expected.upper)
    assert np.mean(inside) >= 0.8


def test_the_same_seed_gives_the_same_limits() -> None:
    points = exact(2.0, 0.5, 0.02, 500)
    law = fit(points)
    assert expect(points, law, 800, 1) == expect(points, law, 800, 1)


# ---------------------------------------------------------------------- told


def test_what_cannot_be_said_is_refused_in_words() -> None:
    good = exact(2.0, 0.5, 0.02)
    law = fit(good)
    assert refusal(good, law, FARTHEST * 400) is None
    assert "more than 4 times the 400" in str(refusal(good, law, FARTHEST * 400 + 1))
    assert "3 sizes are too few" in str(refusal(good[:3], fit(good[:3]), 800))
    flat = [Point(size, 10, 100) for size in SIZES]
    assert "constant" in str(refusal(flat, fit(flat), 800))


def points_of(wrong: tuple[int, ...], tested: int = 1000) -> list[CurvePoint]:
    none = rate(0, 0)
    return [
        CurvePoint(parts=size, images=16 * size, errors=rate(count, tested), escapes=none, overkills=none)
        for size, count in zip(SIZES, wrong, strict=True)
    ]


def test_one_sentence_says_what_more_parts_would_bring() -> None:
    points = points_of((303, 220, 161, 120))
    law = law_of(points)
    sentence = told(points, law, 800, seed=1)
    assert sentence.startswith("With 400 more parts, 800 in all, expect ")
    assert " judged wrongly (" in sentence
    assert "in place of 12." in sentence
    assert told(points[:1], law_of(points[:1]), 800, seed=1) == "one size is no curve"
    assert "constant" in told(points_of((100, 100, 100, 100)), law_of(points_of((100, 100, 100, 100))), 800, seed=1)
    assert written(None) is None
    assert law is not None
    assert written(law) == written(law_of(points))


# ---------------------------------------------------------------------- written


def test_a_point_counts_errors_escapes_and_overkill() -> None:
    truth, answers = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 1, 1, 2, 0, 2, 2])
    scores = classify(truth, answers, np.eye(3)[answers], CLASSES)
    point = curve_point(50, 800, scores, 0)
    assert (point.errors.events, point.errors.trials) == (3, 8)
    assert (point.escapes.events, point.escapes.trials) == (1, 5)
    assert (point.overkills.events, point.overkills.trials) == (1, 3)
    nobody = curve_point(50, 800, scores, None)
    assert (nobody.errors.events, nobody.escapes.trials, nobody.overkills.trials) == (3, 0, 0)
    assert nobody.point == Point(50, 3, 8)


def test_the_table_has_counts_and_limits() -> None:
    rows = list(csv.DictReader(io.StringIO(table(points_of((303, 220, 161, 120))))))
    assert [row["parts"] for row in rows] == ["50", "100", "200", "400"]
    assert (rows[0]["errors"], rows[0]["errors_of"]) == ("303", "1000")
    assert float(rows[0]["errors_lower"]) == pytest.approx(rate(303, 1000).lower, abs=1e-6)
    assert rows[0]["escapes_of"] == "0"


def test_the_picture_is_one() -> None:
    points = points_of((303, 220, 161, 120))
    assert picture(points, law_of(points)).startswith(b"\x89PNG")
    assert picture(points[:1], None).startswith(b"\x89PNG")
