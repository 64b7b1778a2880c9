"""The shipped simulation's configuration, made a test's own."""

import tomllib
import uuid
from pathlib import Path

from config import bundled


def own_config(folder: Path, *replacements: tuple[str, str]) -> Path:
    """Write it with free ports and names of its own, and replacements of text, into a folder."""
    text = bundled("simulate.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    for port in (document["robot"]["link"]["port"], document["plc"]["link"]["port"]):
        text = text.replace(f"port = {port}", "port = 0")
    text = text.replace("{runtime}/jig", str(folder / "jig"))
    text = text.replace("/inspection-station-scene", f"/station-test-{uuid.uuid4().hex[:12]}")
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "cell.toml"
    path.write_text(text, encoding="utf-8")
    return path
