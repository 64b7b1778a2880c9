"""The model card says what is known of a bundle, with limits, and what it must not be used for."""

from pathlib import Path

import numpy as np

from models.dataset.named import LeftOut
from models.evaluation.measuring.defects import SoughtDefect, detect
from models.evaluation.measuring.evaluation import Evaluation, NotMeasured, Source, Subject
from models.manifest import Quantisation, load_bundle, utc_now
from models.release.card import card_text
from models.weights import SHIPPED, bundle_folder
from tests.bundles import make_grey_bundle


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


def test_the_engines_that_a_bundle_serves_and_those_that_it_cannot_are_named(tmp_path: Path) -> None:
    manifest = load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest
    every = card_text(manifest)
    assert "It runs in openvino int8, openvino bf16, openvino f32" in every
    assert "There is no" not in every
    fewer = manifest.model_copy(
        update={"network": "industnet", "artefacts": {"openvino": manifest.artefacts["openvino"]}, "quantisation": None}
    )
    text = card_text(fewer)
    assert "It runs in openvino bf16, openvino f32." in text
    assert "There is no openvino-int8: its deformable convolutions are computed in 32 bits alone" in text
    assert "random weights, or not recorded" in text
    begun = manifest.data.model_copy(update={"begun_with": "ab" * 32})
    assert f"weights of SHA-256 {'ab' * 32}" in card_text(manifest.model_copy(update={"data": begun}))


def test_the_shipped_bundles_card_is_the_one_of_its_manifest() -> None:
    bundle = load_bundle(bundle_folder(SHIPPED))
    assert bundle.read("card.md").decode().startswith(f"# {SHIPPED}\n")
    assert bundle.manifest.figures is not None
    assert f"of {bundle.manifest.figures.parts:,} = " in bundle.read("card.md").decode()


def test_size_and_contrast_that_are_found_are_told_each_at_the_others_usual_value_with_its_count(
    tmp_path: Path,
) -> None:
    sought = drawn(np.random.default_rng(5), each=100)
    text = card_text(load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest, [evaluation_of(sought)])
    (row,) = [line for line in text.splitlines() if line.startswith("| pits |")]
    _, _, size, contrast, both, _ = row.split("|")
    # found with nine in ten where size x contrast is 0.04 x 9^(1/4) = 0.069: at 0.35 mm x 0.2, and at 1 mm x 0.069
    assert 0.25 < float(size.split()[1]) < 0.5
    assert 0.05 < float(contrast.split()[1].rstrip(",")) < 0.1
    assert 0.25 < float(both.split()[1]) < 0.5
    assert size.strip().endswith("(100 defects, at contrast 0.2)")
    assert contrast.strip().endswith("(100 defects, at 1 mm)")
    assert both.strip().endswith("(300 defects, at contrast 0.2)")
    assert "multiplied with 0.9 to 1.1" in text


def test_a_curve_that_cannot_be_drawn_says_why_in_the_card(tmp_path: Path) -> None:
    sought = [one for one in drawn(np.random.default_rng(5), each=100) if not one.of_usual_contrast]
    text = card_text(load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest, [evaluation_of(sought)])
    assert "not estimable (0 defects, at contrast 0.2). 0 of 200 defects are of usual contrast. Without any" in text


def drawn(rng: np.random.Generator, each: int) -> list[SoughtDefect]:
    """Pits of usually 1 mm and contrast 0.2: so many that are smaller, that are paler, and that are both."""
    sought = []
    for by_size, by_contrast in ((1, 0), (0, 1), (1, 1)):
        for factors in np.exp(rng.uniform(np.log(0.05), np.log(0.89), (each, 2)) * (by_size, by_contrast)):
            size_mm, contrast = float(factors[0]), 0.2 * float(factors[1])
            seen = rng.random() < 1 / (1 + np.exp(-4 * np.log(size_mm * contrast / 0.04)))
            sought.append(SoughtDefect("A1", "pits", size_mm, contrast, *map(float, factors), bool(seen)))
    return sought


def evaluation_of(sought: list[SoughtDefect]) -> Evaluation:
    """Of defects alone: what a card does not look at is left out."""
    subject = Subject(name="grey", engine="none", classes=("defect_free", "pits"), min_confidence=0.5, cropping="truth")
    return Evaluation.model_construct(
        created=utc_now(), subject=subject, source=Source(name="here", kind="parts", sha256="ab" * 32), parts=None,
        detection=detect(sought, ("pits",)), pointing=None, robustness=(),
    )  # fmt: skip


def test_a_card_names_what_was_not_measured_and_whose_class_is_none(tmp_path: Path) -> None:
    manifest = load_bundle(make_grey_bundle(tmp_path / "grey-1")).manifest
    assert manifest.figures is not None
    alone = manifest.figures.model_copy(update={"patches": 0, "wrong_patches": 0})
    text = card_text(manifest.model_copy(update={"figures": alone}))
    assert "Not measured, no masks: patches judged rightly." in text
    assert "patches judged wrongly" not in text
    evaluation = evaluation_of([]).model_copy(
        update={
            "not_measured": (NotMeasured(figure="pointing game", why="no masks"),),
            "left_out": (LeftOut(part_id="A1", why="no_label", detail="nobody has said what it is"),) * 3,
        }
    )
    text = card_text(manifest, [evaluation])
    assert "\nNot measured, no masks: pointing game.\n" in text
    assert "Of its parts 3 are counted nowhere: no label 3." in text
    assert "patches judged wrongly" in text
