"""A checkpoint becomes the screener of a bundle whose own files stay as they were; needs the training packages."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `train`")
pytest.importorskip("nncf", reason="nncf is in the extra `train`")

from models.engines import make_pair  # noqa: E402
from models.engines.network import screener_network  # noqa: E402
from models.manifest import CARD, Bundle, load_bundle  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.release.export import Choices, Fallback, Trained, read_trained  # noqa: E402
from models.release.outputs import FAKE_QUANTISE  # noqa: E402
from models.release.pictures import Draw, read_pictures  # noqa: E402
from models.release.quantise import recipes_named  # noqa: E402
from models.screening.making import Learnt, add_screener  # noqa: E402
from models.training.checkpoint import describe, write_checkpoint  # noqa: E402
from models.training.data import DataOrigin  # noqa: E402
from models.training.plan import make_plan  # noqa: E402
from station.core.errors import ModelError  # noqa: E402
from station.core.settings import ModelSettings  # noqa: E402
from tests.bundles import make_grey_bundle  # noqa: E402
from tests.unit.grey_recordings import as_they_are, make_recording  # noqa: E402
from tests.unit.housings import CLASSES, GEOMETRY, MEANING, TABLE, S  # noqa: E402

pytestmark = pytest.mark.training

ORIGIN = DataOrigin("a" * 64, "rendered", CLASSES, CLASSES[0], GEOMETRY, 256, 256, 2, 32)
CHOICES = Choices(4, "Apache-2.0", recipes_named("all"), 0.5, 1, ())


def network() -> Any:
    torch.manual_seed(1)
    made = NETWORKS["screener"].make(5, 256, 256).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def trained(folder: Path) -> Trained:
    plan = make_plan(network="screener", phases=[{"epochs": 3}], items_per_epoch=16, seed=7)
    state = {"state": network().state_dict(), "epochs_done": 2, "history": []}
    write_checkpoint(folder / "best.pt", describe(plan, ORIGIN) | state)
    return read_trained(folder / "best.pt", None, Fallback(None, TABLE, GEOMETRY))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    folder = tmp_path_factory.mktemp("screener")
    parts = make_recording(folder / "parts", as_they_are(*[S.DEFECT_FREE] * 4, S.PITS))
    return Learnt(trained(folder), read_pictures(parts, Draw(72, 80, 1), MEANING, GEOMETRY), None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, learnt: Learnt) -> Bundle:
    """A grey bundle, which lies beside it, with that screener."""
    folder = tmp_path_factory.mktemp("pair")
    add_screener(load_bundle(make_grey_bundle(folder / "grey-1")), learnt, CHOICES, folder / "pair-4")
    return load_bundle(folder / "pair-4")


def test_it_comes_beside_the_network_and_in_every_form_answers_as_torch(pair: Bundle) -> None:
    before = pair.folder.parent / "grey-1"
    assert (pair.manifest.name, pair.manifest.version, pair.screener.proofs) == ("pair-4", 4, ())
    for name in load_bundle(before).manifest.files:
        if name != CARD:
            assert (pair.folder / name).read_bytes() == (before / name).read_bytes()
    own = NETWORKS["screener"].make(5, 256, 256).eval()
    own.load_state_dict(torch.load(pair.folder / "screener.pt", weights_only=True))
    patches = np.random.default_rng(1).integers(40, 255, (2, 256, 256), np.uint8)
    with torch.inference_mode():
        logits = own.float()(torch.from_numpy(patches).unsqueeze(1) / 255)
        wanted = torch.softmax(logits / pair.screener.temperature, dim=1).numpy()
    for precision, limit in (("f32", 1e-5), ("int8", 0.05)):
        settings = ModelSettings.model_validate({"bundle": "pair-4", "precision": precision})
        screening = make_pair(pair, settings, 0.99).screening
        assert screening is not None
        assert np.abs(screening.screener.answer(patches).probabilities - wanted).max() < limit


def test_no_grey_value_saturates_in_int8_behind_the_fold_of_pixels_into_channels(pair: Bundle) -> None:
    graph = ov.Core().read_model(*screener_network(pair).read("openvino-int8"))
    first = next(node for node in graph.get_ordered_ops() if node.get_type_name() == FAKE_QUANTISE
                 and node.input_value(0).get_node().get_type_name() != "Constant")  # fmt: skip
    low, high = (float(np.ravel(first.input_value(port).get_node().data)[0]) for port in (1, 2))
    assert (low, high) == (0, 1)


def test_other_classes_and_other_patches_are_refused_and_nothing_is_left(tmp_path: Path, learnt: Learnt) -> None:
    bundle = load_bundle(make_grey_bundle(tmp_path / "grey-1"))
    turned = replace(learnt.trained.meaning, outputs=TABLE.outputs(tuple(reversed(CLASSES))))
    for changed, what in (
        (replace(learnt.trained, meaning=turned), "the screener's classes"),
        (replace(learnt.trained, geometry=replace(GEOMETRY, patches_per_strip=4)), "the screener's geometry"),
    ):
        with pytest.raises(ModelError, match=what) as caught:
            add_screener(bundle, replace(learnt, trained=changed), CHOICES, tmp_path / "pair-4")
        assert caught.value.code == "model.export_failed"
        assert not (tmp_path / "pair-4").exists()
