"""The network is the paper's."""

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra of training (pip install inspection-station[train])")
NETWORKS = pytest.importorskip("models.networks").NETWORKS


def test_it_has_the_papers_parameters_and_shapes() -> None:
    network = NETWORKS["inception-cnn"].make(5, 256, 256).eval()
    assert sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad) == 3_576_389
    with torch.inference_mode():
        assert network(torch.zeros(2, 1, 256, 256)).shape == (2, 5)
