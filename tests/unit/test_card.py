"""The model card says what is known of a bundle, with limits, and what it must not be used for."""

from pathlib import Path

from models.manifest import Quantisation, load_bundle
from models.release.card import card_text
from models.weights import SHIPPED, bundle_folder
from tests.unit.grey_bundles import make_grey_bundle


def test_figures_come_with_counts_and_exact_limits(tmp_path: Path) -> None:
    text = card_text(load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest)
    assert "| parts judged rightly | 7 of 10 = 70.00% (34.75% to 93.33%) |" in text
    assert "| escapes, of defective parts | 1 of 4 = 25.00% (0.63% to 80.59%) |" in text
    assert "| overkill, of good parts | 2 of 6 = 33.33% (4.33% to 77.72%) |" in text
    assert "takes 4,742 defective parts" in text


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    manifest = load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest
    text = card_text(manifest.model_copy(update={"figures": None}))
    assert "None were measured." in text
    assert "Probability of detection" not in text


def test_every_section_is_there_and_the_misuse_is_named(tmp_path: Path) -> None:
    manifest = load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest
    made = Quantisation(recipe="all", source="here", patches=400, over_exposed=40, under_exposed=40, seed=1)
    text = card_text(manifest.model_copy(update={"quantisation": made}))
    for heading in ("What it is for", "What it was trained on", "Figures", "Limits", "What it must not be used for"):
        assert f"## {heading}\n" in text
    assert "40 of them were over-exposed and 40 under-exposed" in text
    assert "| openvino int8 | 0 of 1000 | 0 of 16000 | 0.01 |" in text
    assert "It must not be the only thing between a defect and harm to a person." in text


def test_the_shipped_bundles_card_is_the_one_of_its_manifest() -> None:
    bundle = load_bundle(bundle_folder(SHIPPED))
    assert bundle.read("card.md").decode().startswith(f"# {SHIPPED}\n")
    assert bundle.manifest.figures is not None
    assert f"of {bundle.manifest.figures.parts:,} = " in bundle.read("card.md").decode()
