"""ImageNet's weights from a file of timm's: the body answers as it did on grey pictures; no other file is taken."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
timm = pytest.importorskip("timm", reason="timm is an extra of training (make test-training)")

from safetensors.torch import save_file  # noqa: E402 - after the check for torch

from models.errors import TrainingError  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.training.imagenet import BLOCK, LITE_ENDS, LITE_FIRST, LITE_LAYERS, checked_hash  # noqa: E402
from models.training.pretrained import initial_weights, timm_weights  # noqa: E402

pytestmark = pytest.mark.training

NAME, BODY = "efficientnet-lite0", "efficientnet_lite0"


@pytest.fixture(scope="module")
def published() -> Any:
    """A network of timm's as it is published: three colours, ImageNet's classes, statistics as after a training."""
    torch.manual_seed(1)
    made = timm.create_model(BODY, pretrained=False).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def saved(path: Path, network: Any) -> Path:
    if path.suffix == ".safetensors":
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    else:
        torch.save({"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, path)
    return path


def stem_of(body: Any, pixels: Any) -> Any:
    return body.bn1(body.conv_stem(pixels))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_grey_pictures_are_seen_as_three_equal_colours_were(published: Any, tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"weights{suffix}", published)
    network, grey = NETWORKS[NAME].make(5, 64, 64).eval(), torch.rand(2, 1, 64, 64)
    timm_weights(path, NAME)(network, grey)
    settings = published.pretrained_cfg
    mean, deviation = (torch.tensor(settings[name])[:, None, None] for name in ("mean", "std"))
    with torch.inference_mode():
        wanted = stem_of(published, (grey.repeat(1, 3, 1, 1) - mean) / deviation)
        found = stem_of(network.features[1], grey * 2 - 1)
    assert torch.allclose(found[:, :, 2:-2, 2:-2], wanted[:, :, 2:-2, 2:-2], atol=1e-4)
    for name, value in published.state_dict().items():
        if name.startswith("blocks.6"):
            assert torch.equal(network.features[1].state_dict()[name], value), name


def old_names(published: Any) -> dict[str, Any]:
    """The same tensors by the names of EfficientNets' first port."""
    number_of = {
        f"blocks.{stage}.{inner}": number
        for number, (stage, inner) in enumerate(
            (stage, inner) for stage, blocks in enumerate(published.blocks) for inner in range(len(blocks))
        )
    }
    renamed = {}
    for name, value in published.state_dict().items():
        place = ".".join(name.split(".")[:3])
        if place in number_of:
            layers = LITE_LAYERS if number_of[place] else LITE_FIRST
            layer, what = name.removeprefix(f"{place}.").split(".")
            old = {new: former for former, new in layers.items()}[layer]
            renamed[f"_blocks.{number_of[place]}.{old}.{what}"] = value
        else:
            layer, what = name.split(".")
            renamed[f"{({new: former for former, new in LITE_ENDS.items()})[layer]}.{what}"] = value
    return renamed


def test_a_file_with_the_names_of_the_first_port_is_the_same(published: Any, tmp_path: Path) -> None:
    state = old_names(published)
    assert any(BLOCK.fullmatch(name) for name in state)
    torch.save(state, tmp_path / "old.pth")
    networks = [NETWORKS[NAME].make(5, 64, 64).eval() for _ in range(2)]
    timm_weights(tmp_path / "old.pth", NAME)(networks[0], torch.rand(1, 1, 64, 64))
    timm_weights(saved(tmp_path / "new.pth", published), NAME)(networks[1], torch.rand(1, 1, 64, 64))
    for name, value in networks[0].features.state_dict().items():
        assert torch.equal(value, networks[1].features.state_dict()[name]), name


def test_a_file_is_checked_against_its_name_and_against_what_was_asked_for(published: Any, tmp_path: Path) -> None:
    path = saved(tmp_path / "weights.pth", published)
    found = checked_hash(path, None)
    named = path.rename(tmp_path / f"efficientnet_lite0_ra-{found[:8]}.pth")
    assert timm_weights(named, NAME, found[:12]).sha256 == found
    with pytest.raises(TrainingError, match="and ffff was asked for"):
        timm_weights(named, NAME, "ffff")
    with pytest.raises(TrainingError, match="and 37913777 is in its name"):
        timm_weights(named.rename(tmp_path / "efficientnet_lite0_ra-37913777.pth"), NAME)


def test_weights_of_another_network_are_refused_by_what_differs(published: Any, tmp_path: Path) -> None:
    path = saved(tmp_path / "weights.pth", published)
    for name in ("mobilenet-v2", "resnet50", "vit-s"):
        with pytest.raises(TrainingError, match="weights of another network") as refused:
            timm_weights(path, name)(NETWORKS[name].make(5, 64, 64), torch.rand(1, 1, 64, 64))
        assert refused.value.code == "training.bad_weights"
    with pytest.raises(TrainingError, match="no network of timm's"):
        timm_weights(path, "inception-cnn")


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\3\4"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_holds_no_weights_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"w{suffix}").write_bytes(content)
    with pytest.raises(TrainingError, match="no file of weights"):
        timm_weights(tmp_path / f"w{suffix}", NAME)(NETWORKS[NAME].make(5, 64, 64), torch.rand(1, 1, 64, 64))


def test_positions_of_a_transformer_are_brought_to_pictures_of_another_size(tmp_path: Path) -> None:
    published = timm.create_model("vit_small_patch16_224", pretrained=False)
    network = NETWORKS["vit-s"].make(5, 64, 64)
    timm_weights(saved(tmp_path / "vit.pth", published), "vit-s")(network, torch.rand(1, 1, 64, 64))
    assert network.features[1].pos_embed.shape == (1, 1 + 16, 384)
    assert torch.equal(network.features[1].pos_embed[:, :1], published.pos_embed[:, :1])


def test_a_network_with_another_head_begins_with_the_same_features(tmp_path: Path) -> None:
    from models.training.checkpoint import describe, write_checkpoint  # noqa: PLC0415 - needs torch
    from models.training.data import DataOrigin  # noqa: PLC0415
    from models.training.plan import make_plan  # noqa: PLC0415

    trained = NETWORKS["mobilenet-v2"].make(5, 64, 64)
    origin = DataOrigin("a" * 64, "noise", tuple("abcde"), None, None, 64, 64, 1, 1)
    plan = make_plan(network="mobilenet-v2", phases=[{"epochs": 1}])
    document = describe(plan, origin) | {"state": trained.state_dict(), "epochs_done": 1, "history": []}
    write_checkpoint(tmp_path / "best.pt", document)
    other = NETWORKS["mobilenet-v2-transfer"].make(6, 64, 64)
    head = {name: value.clone() for name, value in other.head.state_dict().items()}
    initial_weights(tmp_path / "best.pt", "mobilenet-v2-transfer")(other, torch.rand(1, 1, 64, 64))
    for name, value in trained.features.state_dict().items():
        assert torch.equal(other.features.state_dict()[name], value), name
    for name, value in head.items():
        assert torch.equal(other.head.state_dict()[name], value), name
