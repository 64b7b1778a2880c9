"""Debian's mbpoll, the foreign Modbus peer of some tests, at the addresses that the CSV prints."""

import csv
import io
import os
import re
import shutil
import subprocess

import pytest

from tests.cell.conftest import Run


def require_mbpoll() -> None:
    """Skip the test where mbpoll is not installed; in continuous integration it must be."""
    if shutil.which("mbpoll") is None:
        if os.environ.get("CI"):
            pytest.fail("mbpoll is not installed: apt-get install mbpoll")
        pytest.skip("mbpoll, the foreign Modbus peer of this test, is not installed: apt-get install mbpoll")


def addresses(station: Run, name: str, *options: str) -> dict[str, dict[str, str]]:
    """The rows of `station registers NAME --format csv`, by register name."""
    listed = station("registers", name, "--format", "csv", *options)
    return {row["name"]: row for row in csv.DictReader(io.StringIO(listed.stdout))}


def read(row: dict[str, str], *where: str) -> int:
    """The register's word, as mbpoll prints it."""
    table = {"holding": "4", "input": "3"}[row["kind"]]
    command = ["mbpoll", "-1", "-a", "1", "-t", table, "-r", row["address_1"], *where]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"^\[\d+\]:\s+(\d+)", said.stdout, re.MULTILINE)
    assert found is not None, said.stdout + said.stderr
    return int(found[1])
