"""Classes are filled up to the counts that were asked for, with marked copies that train alone."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from models.dataset.store import DataSet, Split, read_data
from models.errors import DatasetError
from models.synthesis.augmented_set import AugmentPlan, add_copies, counts_of
from station.cli.app import app
from tests.blendable import own_pictures


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return own_pictures(tmp_path_factory.mktemp("plant"))


def trained(data: DataSet, name: str) -> int:
    train = data.indices(Split.TRAIN)
    return int((data.labels[train] == data.classes.index(name)).sum())


def test_a_class_is_filled_up_and_a_full_one_is_left(own: DataSet, tmp_path: Path) -> None:
    more = add_copies(tmp_path / "more", own, AugmentPlan("more", {"pit": 15, "free": 3}))
    assert trained(more, "pit") == 15
    assert trained(more, "free") == trained(own, "free")
    assert trained(more, "scratch") == trained(own, "scratch")
    assert int(more.made.sum()) == 15 - trained(own, "pit")


def test_a_copy_is_its_original_mirrored_and_in_another_light(own: DataSet, tmp_path: Path) -> None:
    more = add_copies(tmp_path / "more", own, AugmentPlan("more", {"pit": 12}))
    by_sha = {file.sha256: number for number, file in enumerate(own.manifest.files)}
    for row in np.flatnonzero(more.made):
        file = more.manifest.files[int(more.files[row])]
        assert file.made is not None
        (parent,) = file.made.of
        assert file.group == own.manifest.files[by_sha[parent]].group
        original = np.asarray(own.images[np.flatnonzero(own.files == by_sha[parent])[0]], np.float64)
        copy = np.asarray(more.images[row], np.float64)
        turned = [original, original[:, ::-1], original[::-1], original[::-1, ::-1]]
        assert max(np.corrcoef(one.ravel(), copy.ravel())[0, 1] for one in turned) > 0.98


def test_no_original_is_copied_twice_before_all_are(own: DataSet, tmp_path: Path) -> None:
    count = trained(own, "pit")
    more = add_copies(tmp_path / "more", own, AugmentPlan("more", {"pit": 2 * count}))
    parents = [file.made.of for file in more.manifest.files if file.made]
    assert len(set(parents)) == count == len(parents)


def test_the_papers_counts_are_for_the_share_that_trains(own: DataSet) -> None:
    with pytest.raises(DatasetError, match="is of 5 classes"):
        counts_of("p-ta", own)
    with pytest.raises(DatasetError, match="there are o-ta, p-ta"):
        counts_of("q-ta", own)


def test_what_cannot_be_filled_is_refused(own: DataSet, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="dent: not a class of"):
        add_copies(tmp_path / "more", own, AugmentPlan("more", {"dent": 9}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--to", "pit"], "write CLASS=COUNT"),
        (["--to", "pit=9", "--recipe", "p-ta"], "one of them"),
        ([], "one of them"),
    ],
)
def test_a_command_that_says_it_wrongly_is_told_how(
    own: DataSet, tmp_path: Path, options: list[str], told: str
) -> None:
    result = CliRunner().invoke(app, ["dataset", "augment", str(own.folder), str(tmp_path / "out"), *options])
    assert result.exit_code != 0
    assert told in " ".join(result.output.split())


def test_one_command_fills_a_class(own: DataSet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["dataset", "augment", str(own.folder), str(out), "--to", "scratch=20"])
    assert result.exit_code == 0, result.output
    assert trained(read_data(out), "scratch") == 20
