"""The camera's registers do what its description says of them, and there are no others."""

import pytest

from tests.descriptions import Register, described
from tests.wire.producer_abi import Producer

ACCESS_DENIED, ADDRESS = -1005, -1015
CAMERA = described("camera_*.xml")
CHOICES = {"TriggerSelectorRegister": 3, "ChunkSelectorRegister": 3}
"""How many values a selector has."""


READABLE = {"UserSetLoadRegister"}
"""Described as write only, as commands are, but read as 0 by whoever asks past the description."""


def addresses(register: Register) -> list[int]:
    return [register.address + register.stride * choice for choice in range(CHOICES.get(register.selector, 1))]


@pytest.mark.parametrize("name", CAMERA)
def test_a_register_is_read_and_written_as_its_description_says(gentl: Producer, name: str) -> None:
    register = CAMERA[name]
    for address in addresses(register):
        code, value = gentl.read_bytes(address, register.size)
        assert code == (ACCESS_DENIED if register.access == "WO" and name not in READABLE else 0)
        if register.access == "RO":
            assert gentl.write_bytes(address, value) == ACCESS_DENIED
        if register.access == "RW":
            assert gentl.write_bytes(address, value) == 0, "what was read is in range"


@pytest.mark.parametrize("name", CAMERA)
def test_a_register_has_no_more_bytes_than_its_description_says(gentl: Producer, name: str) -> None:
    register = CAMERA[name]
    assert gentl.read_bytes(register.address, register.size + 1)[0] == ADDRESS
    assert gentl.write_bytes(register.address, bytes(register.size + 1)) == ADDRESS


def test_no_register_begins_where_none_is_described(gentl: Producer) -> None:
    reached = {address for address in range(0x400) if gentl.read_bytes(address, 1)[0] != ADDRESS}
    assert reached == {address for register in CAMERA.values() for address in addresses(register)}
