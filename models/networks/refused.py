"""What cannot become of a network: artefacts that no engine could run, and why. Free of torch, as the card tells it."""

Unserved = tuple[tuple[str, str], ...]
"""Names of artefacts (`models.manifest.Artefact`), each with the reason, for people."""

DEFORMABLE = frozenset(
    f"industnet{size}{without}" for size in ("", "-atto") for without in ("", "-without-attention", "-without-fusion")
)
"""The networks that have deformable convolutions."""


def unserved_of(network: str) -> Unserved:
    """What cannot become of a network, by its name; nothing of most."""
    if network not in DEFORMABLE:
        return ()
    return (("openvino-int8", "its deformable convolutions are computed in 32 bits alone, in OpenVINO as everywhere"),)
