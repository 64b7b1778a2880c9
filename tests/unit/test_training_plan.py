"""What decides a training, without torch: plans, draws, augmentation, folds, curves, the RUN folder."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from models.errors import TrainingError
from models.training.augment import ahead, make_batch
from models.training.curves import Row, table
from models.training.draw import class_weights, draw_epoch, draw_evenly, shares
from models.training.folds import deal_folds
from models.training.plan import CHANGES, FLIPS, Phase, Plan, differences, make_plan, plan_from
from models.training.position import Position
from models.training.run_folder import check_room, occupy
from models.training.warps import CHANCES as PLACE_CHANCES
from models.training.warps import MOVING, laid_over, moved

LABELS = np.array([0] * 20 + [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3, np.int16)


class Held:
    """Something of which nothing may be left."""


def plan(**choices: object) -> Plan:
    return make_plan(**{"network": "sca-cnn", "phases": [{"epochs": 2}], **choices})


def test_a_cosine_rises_then_falls_to_almost_nothing() -> None:
    phase = Phase(epochs=10, peak_rate=1e-3)
    rates = [phase.rate(step, 10, 0.06) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates[0] < rates[5]
    assert rates[-1] < 2e-5
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_other_schedules_stand_still_or_fall_by_a_tenth_an_epoch() -> None:
    constant = Phase(epochs=3, peak_rate=1e-4, schedule="constant")
    assert {constant.rate(step, 10, 0.06) for step in range(30)} == {1e-4}
    exponential = Phase(epochs=3, peak_rate=1.0, schedule="exponential")
    assert [exponential.rate(step, 2, 0.06) for step in range(5)] == pytest.approx([1, 1, 0.9, 0.9, 0.81])


def test_the_papers_recipe_is_the_papers() -> None:
    paper = plan_from("paper", "patches", network="inception-cnn", rate=None)
    assert (paper.optimiser, paper.phases[0].peak_rate, paper.phases[0].schedule) == ("adam", 1e-4, "constant")
    assert (paper.batch, paper.l2, paper.epochs, paper.draw) == (128, 0.01, 50, "whole")
    assert (paper.loss, paper.augmentation, paper.precision, paper.initial, paper.clip) == (
        "plain",
        (),
        "f32",
        "keras",
        0,
    )


def test_industnets_recipe_lets_the_rate_fall_before_it_ends() -> None:
    industnet = plan_from("industnet", "class_folders", network="industnet")
    phase = industnet.phases[0]
    assert (phase.schedule, phase.peak_rate, phase.plateau, phase.patience, phase.epochs) == (
        "plateau",
        1e-3,
        10,
        20,
        200,
    )
    assert set(industnet.augmentation) == {"rotate", "shift", "zoom"}
    with pytest.raises(TrainingError, match="patience 20: the rate would fall in the epoch that ends it"):
        plan_from("industnet", "class_folders", network="industnet", plateau=20)


def test_the_rate_of_a_plateau_falls_when_epochs_bring_no_gain_and_only_then() -> None:
    phase = Phase(epochs=9, peak_rate=1.0, schedule="plateau", plateau=2)
    position, rates = Position(), []
    for loss in (5.0, 4.0, 4.0, 4.5, 3.0, 3.5, 3.5, 3.5):
        rates.append(phase.rate(0, 10, 0.0, position.falls))
        position.close_epoch(loss)
        position.look_for_plateau(phase, loss)
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01])


def test_no_epoch_of_an_unsettled_network_counts_as_worse_and_the_last_one_is_kept() -> None:
    position, phase = Position(), Phase(epochs=9, patience=1)
    assert [position.close_epoch(loss, settled=False) for loss in (1.0, 2.0, 3.0)] == [True, True, True]
    assert not position.ends(phase)
    assert [position.close_epoch(loss) for loss in (9.0, 8.0, 8.5)] == [True, True, False]
    assert position.ends(phase)


def test_transfer_learning_trains_the_head_before_a_quarter_of_the_layers() -> None:
    transfer = plan_from("transfer", "class_folders", network="mobilenet-v2", init="ab" * 32)
    assert [phase.unfrozen_share for phase in transfer.phases] == [0, 0.26]
    assert [phase.peak_rate for phase in transfer.phases] == [1e-3, 1e-4]
    assert [phase.epochs for phase in transfer.phases] == [30, 10]
    assert (transfer.dropout, transfer.l2, transfer.l2_of, transfer.loss) == (0.5, 1e-4, "all", "plain")
    assert {"rotate", "shift", "zoom", "exposure"} < set(transfer.augmentation)


def test_folders_of_classes_are_drawn_whole_and_only_mirrored_unless_chosen_otherwise() -> None:
    assert plan_from("station", "class_folders", network="sca-cnn").draw == "whole"
    assert plan_from("station", "class_folders", network="sca-cnn").augmentation == FLIPS
    assert plan_from("station", "class_folders", network="sca-cnn").first_class_share == 0.0
    assert plan_from("station", "patches", network="sca-cnn").first_class_share == 0.5
    assert plan_from("station", "patches", network="sca-cnn").draw == "even"
    assert plan_from("station", "class_folders", network="sca-cnn", draw="even").draw == "even"


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({"recipe": "secret"}, "unknown recipe secret"),
        ({"optimiser": "adam"}, "weight_decay"),
        ({"optimiser": "sgd"}, "optimiser"),
        ({"rate": -1.0}, "peak_rate"),
        ({"schedule": "stairs"}, "schedule"),
        ({"augmentation": ("spin",)}, "augmentation"),
        ({"batch": 1}, "batch"),
        ({"recipe": "transfer"}, "random weights"),
    ],
)
def test_a_contradictory_plan_is_refused_by_name(choices: dict[str, object], named: str) -> None:
    with pytest.raises(TrainingError, match=named) as refused:
        plan_from(**{"recipe": "station", "kind": "patches", "network": "sca-cnn", **choices})
    assert refused.value.code == "training.bad_plan"


def test_what_differs_between_plans_is_named() -> None:
    assert differences(plan(), plan().model_dump(mode="json")) == ""
    assert differences(plan(seed=2), plan().model_dump(mode="json")) == "seed 2 was 1"


def test_a_choice_that_an_older_version_did_not_have_was_made_as_it_is_by_default() -> None:
    older = {name: value for name, value in plan().model_dump(mode="json").items() if name != "labels"}
    assert differences(plan(), older) == ""
    assert differences(plan(labels="part"), older) == "labels part was auto"
    assert differences(plan(), older | {"magic": 1}) == "magic None was 1"


def test_a_refused_plan_holds_nothing_of_who_asked_for_it() -> None:
    held = Held()
    watched = weakref.ref(held)

    def ask(kept: Held) -> str:
        with pytest.raises(TrainingError) as refused:
            plan_from("transfer", "patches", network="sca-cnn")
        return f"{refused.value.detail} {kept}"

    assert "random weights" in ask(held)
    del held
    gc.collect()
    assert watched() is None


def test_an_even_draw_has_its_share_of_every_class_and_of_nothing_else() -> None:
    usable = np.flatnonzero(LABELS >= 0)[1:]
    chosen = draw_evenly(LABELS, usable, shares(5, 0.5, 0), 16, np.random.default_rng(1))
    assert np.bincount(LABELS[chosen], minlength=5).tolist() == [8, 2, 2, 2, 2]
    assert len(set(chosen.tolist())) == 16
    assert 0 not in chosen


def test_a_small_class_is_drawn_repeatedly_and_evenly() -> None:
    chosen = draw_evenly(LABELS, np.arange(32), shares(5, 0.5, 0), 96, np.random.default_rng(1))
    assert np.bincount(LABELS[chosen], minlength=5).tolist() == [48, 12, 12, 12, 12]
    assert set(np.bincount(chosen)[20:].tolist()) == {4}


def test_a_class_without_images_leaves_its_share_to_the_others() -> None:
    chosen = draw_evenly(LABELS, np.arange(26), shares(5, 0.5, 0), 30, np.random.default_rng(1))
    assert np.bincount(LABELS[chosen], minlength=5).tolist() == [20, 5, 5, 0, 0]


def test_an_epochs_draw_follows_from_seed_and_epoch_alone() -> None:
    first, again, next_epoch = (draw_epoch(plan(), LABELS, np.arange(32), 5, 0, epoch) for epoch in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, next_epoch)
    assert len(first) == 32


def test_a_whole_draw_is_every_image_once() -> None:
    chosen = draw_epoch(plan(draw="whole"), LABELS, np.arange(5, 32), 5, 0, 0)
    assert sorted(chosen.tolist()) == list(range(5, 32))
    assert chosen.tolist() != sorted(chosen.tolist())


def test_rare_classes_weigh_by_the_root_of_their_rarity() -> None:
    weights = class_weights(np.array([0] * 16 + [1] * 4, np.int16), 5)
    assert weights[1] / weights[0] == pytest.approx(2)
    assert weights[0] * 16 + weights[1] * 4 == pytest.approx(20)
    assert weights[2:].tolist() == [0, 0, 0]


def test_augmentation_keeps_shape_and_range_and_is_repeatable() -> None:
    images = np.random.default_rng(1).integers(0, 256, (6, 8, 10), np.uint8)
    labels = np.arange(6, dtype=np.int16)
    chosen = np.array([5, 0, 3])
    one, two = (make_batch(images, labels, chosen, CHANGES, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.images, two.images)
    assert one.images.shape == (3, 1, 8, 10)
    assert one.images.dtype == np.float32
    assert 0 <= one.images.min() <= one.images.max() <= 1
    assert one.labels.tolist() == [5, 0, 3]
    assert not np.array_equal(one.images[:, 0] * 255, images[chosen])


def test_without_augmentation_the_images_are_what_they_were() -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, 8, 10), np.uint8)
    batch = make_batch(images, np.zeros(2, np.int16), np.array([1, 0]), (), np.random.default_rng(5))
    assert np.array_equal(np.rint(batch.images[:, 0] * 255).astype(np.uint8), images[[1, 0]])


@pytest.mark.parametrize(("changes", "undone"), [(("mirror",), np.fliplr), (("upend",), np.flipud)])
def test_flips_are_flips_and_happen_about_half_the_time(changes: tuple[str, ...], undone: object) -> None:
    images = np.tile(np.random.default_rng(1).integers(0, 256, (1, 8, 8), np.uint8), (64, 1, 1))
    batch = make_batch(images, np.zeros(64, np.int16), np.arange(64), changes, np.random.default_rng(5))
    found = np.rint(batch.images[:, 0] * 255).astype(np.uint8)
    flipped = sum(np.array_equal(image, undone(images[0])) for image in found)  # type: ignore[operator]
    same = sum(np.array_equal(image, images[0]) for image in found)
    assert flipped + same == 64
    assert 16 < flipped < 48


IMAGE = np.random.default_rng(1).integers(0, 256, (32, 48), np.uint8)


@pytest.mark.parametrize("change", sorted(MOVING))
def test_pixels_move_and_what_comes_in_is_the_nearest_of_the_image(change: str) -> None:
    chances = np.full(PLACE_CHANCES, 0.9)
    found = moved(IMAGE, {change}, chances)
    assert found.shape == IMAGE.shape
    assert not np.array_equal(found, IMAGE)
    assert np.array_equal(found, moved(IMAGE, {change}, chances))
    flat = np.full_like(IMAGE, 77)
    assert np.array_equal(moved(flat, {change}, chances), flat)


@pytest.mark.parametrize("change", ["rotate", "shift", "zoom", "perspective"])
def test_chances_in_the_middle_leave_an_image_where_it_was(change: str) -> None:
    assert np.array_equal(moved(IMAGE, {change}, np.full(PLACE_CHANCES, 0.5)), IMAGE)


def test_a_shift_is_a_shift_by_up_to_three_tenths() -> None:
    chances = np.full(PLACE_CHANCES, 0.5)
    chances[10] = 1.0
    found = moved(IMAGE[:, :40], {"shift"}, chances)
    assert np.array_equal(found[:, 12:], IMAGE[:, :28])
    assert (found[:, :12] == IMAGE[:, :1]).all()


def test_every_second_image_loses_a_window_and_noise_stays_within_its_bounds() -> None:
    image, chances = np.full((40, 40), 0.5, np.float32), np.full(PLACE_CHANCES, 0.4)
    erased = laid_over(image, {"erase"}, chances)
    assert 0.02 <= (erased != 0.5).mean() <= 0.25
    chances[16] = 0.6
    assert np.array_equal(laid_over(image, {"erase"}, chances), image)
    noisy = laid_over(image, {"noise"}, np.full(PLACE_CHANCES, 1 - 1e-9))
    assert 0.8 * 10 / 255 < noisy.std() < 1.2 * 10 / 255


def test_what_older_plans_drew_is_not_moved_by_the_newer_changes() -> None:
    images, chosen = IMAGE[None].repeat(3, axis=0), np.arange(3)
    one, other = (
        make_batch(images, np.zeros(3, np.int16), chosen, changes, np.random.default_rng(5))
        for changes in (CHANGES, (*CHANGES, "erase"))
    )
    same = (one.images == other.images).mean()
    assert same > 0.7


def test_batches_come_in_order_and_a_failure_reaches_who_waits() -> None:
    assert list(ahead(lambda step: step, 2, 5)) == [2, 3, 4]  # type: ignore[arg-type,return-value]
    assert list(ahead(lambda step: step, 5, 5)) == []  # type: ignore[arg-type,return-value]

    def fail(step: int) -> int:
        raise OSError(step)

    with pytest.raises(OSError, match="0"):
        list(ahead(fail, 0, 2))  # type: ignore[arg-type]


def test_folds_keep_groups_whole_and_classes_even() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(60), 4).astype(np.int32)
    labels = (groups % 3).astype(np.int16)
    order = rng.permutation(len(groups))
    fold_of = deal_folds(labels[order], groups[order], 5, 1, ("a", "b", "c"))
    for group in range(60):
        assert len(set(fold_of[groups[order] == group].tolist())) == 1
    for label in range(3):
        assert set(np.bincount(fold_of[labels[order] == label]).tolist()) == {16}
    assert np.array_equal(fold_of, deal_folds(labels[order], groups[order], 5, 1, ("a", "b", "c")))


def test_folds_of_parts_share_out_the_rare_defects() -> None:
    groups = np.repeat(np.arange(20), 16).astype(np.int32)
    labels = np.zeros(320, np.int16)
    labels[[3, 16 + 5, 7 * 16, 9 * 16 + 1]] = 1
    fold_of = deal_folds(labels, groups, 4, 1, ("defect_free", "pits"))
    assert np.bincount(fold_of[labels == 1]).tolist() == [1, 1, 1, 1]


def test_a_class_with_fewer_groups_than_folds_is_refused() -> None:
    labels = np.array([0] * 10 + [1] * 10, np.int16)
    groups = np.array([*range(10), *[10] * 10], np.int32)
    with pytest.raises(TrainingError, match="class pits has 1 groups"):
        deal_folds(labels, groups, 2, 1, ("defect_free", "pits"))


def test_the_curves_are_a_table_with_a_line_an_epoch() -> None:
    lines = table([Row(1, 1, 1e-3, 0.5, 0.25, 0.9, 1, 2, 3, 60, 1.5)]).decode().splitlines()
    assert lines[0].startswith("epoch,phase,rate,loss,validation_loss,accuracy")
    assert lines[1] == "1,1,0.001,0.5,0.25,0.9,1,2,3,60,1.5,0.0,0.0"


def test_a_run_folder_has_one_training_at_a_time(tmp_path: Path) -> None:
    with occupy(tmp_path / "run"), pytest.raises(TrainingError) as refused, occupy(tmp_path / "run"):
        pass
    assert refused.value.code == "training.in_use"
    with occupy(tmp_path / "run"):
        pass


def test_a_run_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError) as refused, occupy(tmp_path / "file" / "run"):
        pass
    assert refused.value.code == "training.disk_failed"


def test_a_disk_without_room_is_refused_before_time_is_spent(tmp_path: Path) -> None:
    check_room(tmp_path, 1)
    with pytest.raises(TrainingError, match="MB are free"):
        check_room(tmp_path, 10**18)


KEPT = """
import numpy as np, resource, sys
from models.training.memory import keep_freed_memory
assert keep_freed_memory()
def faults():
    np.ones(64 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
first, second = faults(), faults()
sys.exit(second - first > 1000)
"""


def test_freed_memory_is_taken_again_without_new_pages() -> None:
    assert subprocess.run([sys.executable, "-c", KEPT], check=False).returncode == 0


@pytest.mark.parametrize(
    ("good", "wanted"), [(2, [0.25, 0.25, 0.5]), (0, [0.5, 0.25, 0.25]), (None, [0.5, 0.25, 0.25])]
)
def test_the_class_that_passes_has_its_share_wherever_it_stands(good: int | None, wanted: list[float]) -> None:
    assert shares(3, 0.5, good).tolist() == wanted
    assert shares(3, 0.0, good) == pytest.approx([1 / 3] * 3)
