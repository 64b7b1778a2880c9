"""A bundle's classes are held against the configured ones by name: what differs is refused, or told in words."""

import json
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from config import bundled
from models.manifest import Manifest, load_bundle
from models.meaning import check_classes, fitting_meaning, own_table, unconfigurable
from station.core.errors import ModelError
from station.core.settings import load_settings
from station.core.verdicts import Classes
from station.host.bundles import find_bundle
from station.host.recipes import classes_not_answered, make_recipes
from tests.bundles import make_grey_bundle
from tests.unit.housings import CLASSES, MEANING, TABLE


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest


def of(manifest: Manifest, *classes: str, passing: str = "defect_free") -> Manifest:
    return manifest.model_copy(update={"classes": classes, "passing": passing})


def test_the_same_classes_in_any_order_are_the_configured_ones(manifest: Manifest) -> None:
    assert check_classes(manifest, TABLE) is None
    assert check_classes(of(manifest, *reversed(CLASSES)), TABLE) is None


def test_what_a_bundle_does_not_answer_is_told_and_allowed(manifest: Manifest) -> None:
    told = check_classes(of(manifest, "scratches", "defect_free", "pits"), TABLE)
    assert told == "grey-1 does not answer imprinted, roll_marks: no part that it judges will be called so"


@pytest.mark.parametrize(
    ("classes", "passing", "table", "words"),
    [
        (("defect_free", "rust", "pits"), "defect_free", TABLE, "grey-1 answers rust, which"),
        (("imprinted", "pits"), "pits", TABLE, "answers imprinted, pits, and not defect_free, which is what passes"),
        (("defect_free", "pits"), "pits", TABLE, "trained to pass pits, by ..classes.. defect_free passes"),
        (("defect_free", "pits"), "defect_free", own_table(("defect_free", "pits"), "pits"), "pits passes"),
        (("defect_free", "review"), "defect_free", TABLE, "answers review, which"),
    ],
    ids=["an unknown class", "no passing class", "another passes", "another passes by the table", "review is no class"],
)
def test_a_network_of_other_classes_is_refused_in_words(
    manifest: Manifest, classes: tuple[str, ...], passing: str, table: Classes, words: str
) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        check_classes(of(manifest, *classes, passing=passing), table)
    assert caught.value.code == "model.wrong_classes"


def test_the_station_refuses_a_bundle_of_other_classes_and_warns_of_what_one_does_not_answer(tmp_path: Path) -> None:
    folder = make_grey_bundle(tmp_path / "grey-1")
    loaded = load_settings(bundled("simulate.toml"))
    settings = loaded.model_copy(update={"model": loaded.model.model_copy(update={"bundle": str(folder)})})
    with capture_logs() as logs:
        make_recipes(settings, tmp_path)
    assert [line["event"] for line in logs] == []
    wider = settings.model_dump(by_alias=True)
    wider["classes"].append({**wider["classes"][1], "code": 9, "name": "rust"})
    more = type(settings).model_validate(wider)
    assert len(make_recipes(more, tmp_path).rows) == len(more.part_types)
    assert classes_not_answered([find_bundle(more, tmp_path)], more) == [
        "grey-1 does not answer rust: no part that it judges will be called so"
    ]
    document = json.loads((folder / "manifest.json").read_text())
    document["classes"][1] = "rust"
    (folder / "manifest.json").write_text(json.dumps(document))
    assert find_bundle(more, tmp_path).manifest.classes[1] == "rust"
    with pytest.raises(ModelError, match="grey-1 answers rust"):
        find_bundle(settings, tmp_path)


def test_names_that_no_configuration_can_have_are_found() -> None:
    names = ["pits", "rolled-in_scale", "MT_Crack", "review", "", "a" * 41, "ok_2"]
    assert unconfigurable(names) == ["rolled-in_scale", "MT_Crack", "review", "", "a" * 41]


def test_a_defect_as_probable_as_what_passes_is_called_one() -> None:
    table = own_table(("crack", "good", "dent"), "good")
    assert (table.passing.code, table.named("dent").severity, len(table.places)) == (2, 1, 4)
    rows = [[0.5, 0.5, 0, 0, 0], [0.6, 0.4, 0, 0, 0], [0.2, 0, 0, 0, 0.8]]
    assert MEANING.called_defective(np.array(rows, np.float32)).tolist() == [True, False, True]


def test_a_network_is_read_by_a_table_that_fits_and_else_by_classes_of_its_own() -> None:
    configured = fitting_meaning(["pits", "defect_free"], None, TABLE, "it")
    assert configured is not None
    assert (configured.table, configured.passing) == (TABLE, 1)
    own = fitting_meaning(["pits", "defect_free"], "pits", TABLE, "it")
    assert own is not None
    assert (own.table.passing.name, own.passing) == ("pits", 0)
    strange = fitting_meaning(["free", "crack"], "free", TABLE, "it")
    assert strange is not None
    assert strange.names == ("free", "crack")
    assert fitting_meaning(["free", "crack"], None, TABLE, "it") is None
