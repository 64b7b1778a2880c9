"""Where the camera's descriptions say a register lies, there is the C field of it, in that size."""

import subprocess
from pathlib import Path

import pytest

from sim.gentl.build import FOUND
from station.core.compiler import find_compiler
from tests.descriptions import CHUNKS, DESCRIPTIONS, Register, described

HEADERS = ("camera/registers.h", "transport/module_layouts.h")

FIELDS = {
    ("camera_*.xml", "registers"): {
        "AcquisitionModeRegister": "acquisition_mode",
        "AcquisitionFrameCountRegister": "acquisition_frame_count",
        "AcquisitionStartRegister": "start",
        "AcquisitionStopRegister": "stop",
        "AcquisitionAbortRegister": "abort_now",
        "AcquisitionLineRateRegister": "line_rate_hz",
        "AcquisitionResultingLineRateRegister": "resulting_line_rate_hz",
        "ExposureTimeRegister": "exposure_us",
        "ChunkModeActiveRegister": "chunk_mode_active",
        "ChunkSelectorRegister": "chunk_selector",
        "ChunkEnableRegister": "chunk_enable[0]",
        "DeviceVendorName": "vendor",
        "DeviceModelName": "model",
        "DeviceSerialNumber": "serial",
        "DeviceVersion": "version",
        "DeviceUserID": "user_id",
        "DeviceScanTypeRegister": "scan_type",
        "DeviceTemperatureRegister": "temperature_c",
        "TimestampRegister": "timestamp_ns",
        "DeviceResetRegister": "device_reset",
        "UserSetSelectorRegister": "user_set_selector",
        "UserSetLoadRegister": "user_set_load",
        "UserSetSaveRegister": "user_set_save",
        "UserSetDefaultRegister": "user_set_default",
        "SensorWidthRegister": "sensor_width",
        "WidthRegister": "width",
        "HeightRegister": "height",
        "OffsetXRegister": "offset_x",
        "PixelFormatRegister": "pixel_format",
        "GainRegister": "gain_db",
        "BlackLevelRegister": "black_level",
        "PayloadSizeRegister": "payload_size",
        "TLParamsLockedRegister": "tl_params_locked",
        "SimScene": "scene_name",
        "SimSceneStatus": "scene_status",
        "SimNominalExposureRegister": "nominal_exposure_us",
        "SimNoiseRegister": "noise",
        "SimNoiseSeedRegister": "noise_seed",
        "SimFaultRegister": "fault",
        "SimFaultBlockRegister": "fault_block",
        "SimPartialLinesRegister": "fault_lines",
        "SimFaultTimeRegister": "fault_time_ms",
        "SimHangCallRegister": "hang_call",
        "SimPixelByteOrderRegister": "big_endian",
        "SimNextFrameIDRegister": "next_frame_id",
        "TriggerSelectorRegister": "trigger_selector",
        "TriggerModeRegister": "triggers[0].mode",
        "TriggerSourceRegister": "triggers[0].source",
        "TriggerActivationRegister": "triggers[0].activation",
        "TriggerSoftwareRegister": "trigger_software",
        "EncoderDividerRegister": "encoder_divider",
        "EncoderValueRegister": "encoder_value",
        "EncoderResetRegister": "encoder_reset",
        "LineStatusAllRegister": "line_status_all",
    },
    ("system.xml", "system_registers"): {
        "TLID": "id",
        "TLVendorName": "vendor",
        "TLModelName": "model",
        "TLVersion": "version",
        "TLPath": "path",
        "GenTLVersionMajorRegister": "version_major",
        "GenTLVersionMinorRegister": "version_minor",
        "InterfaceUpdateListRegister": "update",
        "InterfaceSelectorRegister": "selector",
        "InterfaceSelectorMax": "selector_max",
        "InterfaceID": "interface_id",
    },
    ("interface.xml", "interface_registers"): {
        "InterfaceID": "id",
        "DeviceUpdateListRegister": "update",
        "DeviceSelectorRegister": "selector",
        "DeviceSelectorMax": "selector_max",
        "DeviceID": "device_id",
        "DeviceVendorName": "vendor",
        "DeviceModelName": "model",
        "DeviceSerialNumber": "serial",
        "DeviceAccessStatusRegister": "access_status",
    },
    ("device.xml", "device_registers"): {
        "DeviceID": "id",
        "DeviceVendorName": "vendor",
        "DeviceModelName": "model",
        "DeviceSerialNumber": "serial",
        "DeviceAccessStatusRegister": "access_status",
        "StreamSelectorRegister": "selector",
        "StreamSelectorMax": "selector_max",
        "StreamID": "stream_id",
    },
    ("stream.xml", "stream_registers"): {
        "StreamID": "id",
        "StreamAnnouncedBufferCountRegister": "announced",
        "StreamAnnounceBufferMinimumRegister": "announce_min",
        "StreamDeliveredFrameCountRegister": "delivered",
        "StreamLostFrameCountRegister": "lost",
        "StreamInputBufferCountRegister": "input",
        "StreamOutputBufferCountRegister": "output",
        "StreamStartedFrameCountRegister": "started",
        "PayloadSizeRegister": "payload_size",
        "StreamChunkCountMaximumRegister": "chunk_count_max",
        "StreamBufferAlignmentRegister": "alignment",
        "StreamIsGrabbingRegister": "grabbing",
    },
}
"""Of which register which field is, for a description and the structure that it shows."""

STRIDES = {"TriggerSelectorRegister": "triggers[1].mode", "ChunkSelectorRegister": "chunk_enable[1]"}
"""What a selector's next value selects, for registers that have an index."""


def check(structure: str, field: str, name: str, wanted: Register) -> str:
    """C that is compiled only if the field lies where the register does."""
    place, size = f"offsetof(struct {structure}, {field})", f"sizeof(((struct {structure} *)0)->{field})"
    lines = [f'_Static_assert({place} == {wanted.address} && {size} == {wanted.size}, "{name}");']
    if wanted.stride:
        second = STRIDES[wanted.selector]
        first = second.replace("[1]", "[0]")
        step = f"offsetof(struct {structure}, {second}) - offsetof(struct {structure}, {first})"
        lines.append(f'_Static_assert({step} == {wanted.stride}, "the next {name}");')
    return "\n".join(lines)


def compiled(folder: Path, checks: list[str]) -> subprocess.CompletedProcess[str]:
    source = folder / "addresses.c"
    includes = ["#include <stddef.h>", *(f'#include "{header}"' for header in HEADERS)]
    source.write_text("\n".join([*includes, *checks, ""]))
    command = [
        *find_compiler(),
        "-std=c11",
        "-D_GNU_SOURCE",
        *FOUND,
        "-c",
        str(source),
        "-o",
        str(folder / "addresses.o"),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_address_of_a_description_is_one_of_these() -> None:
    text = "".join(path.read_text() for path in DESCRIPTIONS.glob("*.xml"))
    assert text.count("<Address>") == sum(map(len, FIELDS.values())) + len(CHUNKS)


@pytest.mark.parametrize(("pattern", "structure"), FIELDS)
def test_each_register_lies_where_its_description_says(pattern: str, structure: str, tmp_path: Path) -> None:
    fields, registers = FIELDS[pattern, structure], described(pattern)
    assert set(fields) == set(registers)
    checks = [check(structure, fields[name], name, register) for name, register in registers.items()]
    built = compiled(tmp_path, checks)
    assert built.returncode == 0, built.stderr


@pytest.mark.parametrize(
    "wrong",
    [Register(0x098, 4, "RW"), Register(0x094, 8, "RW"), Register(0x094, 4, "RW", 4, "TriggerSelectorRegister")],
)
def test_a_wrong_address_size_or_step_is_noticed(wrong: Register, tmp_path: Path) -> None:
    built = compiled(tmp_path, [check("registers", "width", "WidthRegister", wrong)])
    assert built.returncode != 0
    assert "WidthRegister" in built.stderr
