"""Pictures to train on: the scan reader's rules, and a whole JPEG besides."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dataset.pictures import decoded_picture, read_picture
from models.errors import DatasetError
from station.core.scan_file import ScanFileError

GREY = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (48, 40), np.uint8), (0, 0), 2)
COLOUR = np.dstack([GREY, GREY, 255 - GREY])
EXIF_TURNED = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0)


def encoded(suffix: str, image: np.ndarray = GREY, *options: int) -> bytes:
    done, content = cv2.imencode(suffix, image, options)
    assert done
    return content.tobytes()


def grey_in_three(suffix: str) -> bytes:
    return encoded(suffix, np.dstack([GREY] * 3))


JPEGS = {
    "baseline": encoded(".jpg"),
    "progressive": encoded(".jpg", GREY, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "restarts": encoded(".jpg", GREY, cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "three channels": grey_in_three(".jpg"),
}


def with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
@pytest.mark.parametrize("make", [encoded, grey_in_three], ids=["one channel", "three equal"])
def test_grey_is_read_exactly(make: Callable[[str], bytes], suffix: str) -> None:
    np.testing.assert_array_equal(decoded_picture(make(suffix)), GREY)


@pytest.mark.parametrize("content", JPEGS.values(), ids=JPEGS)
def test_a_whole_jpeg_is_taken(content: bytes) -> None:
    for whole in (
        content,
        content + bytes(7),
        with_segment(content, 0xEC, b"\xff\xd9" * 9),
        content[:2] + b"\xff\xff" + content[2:],
    ):
        taken = decoded_picture(whole)
        assert taken.shape == GREY.shape
        assert np.abs(taken.astype(int) - GREY).max() < 16


@pytest.mark.parametrize("content", JPEGS.values(), ids=JPEGS)
def test_a_jpeg_that_lacks_any_of_its_end_is_refused(content: bytes) -> None:
    for length in range(2, len(content)):
        with pytest.raises(ScanFileError, match="cut off"):
            decoded_picture(content[:length])


def without_a_restart(jpeg: bytes) -> bytes:
    start, end = jpeg.index(b"\xff\xd1"), jpeg.index(b"\xff\xd2")
    return jpeg[:start] + jpeg[end:]


def tiff_with(tag: int, value: int) -> bytes:
    """A plain TIFF with another value of a tag."""
    content = bytearray(encoded(".tiff", GREY, cv2.IMWRITE_TIFF_COMPRESSION, 1))
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", content, entry)[0] == tag:
            struct.pack_into("<H", content, entry + 8, value)
    return bytes(content)


def two_pages() -> bytes:
    done, content = cv2.imencodemulti(".tiff", [GREY, GREY])
    assert done
    return content.tobytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"no picture", "it is no PNG, TIFF or BMP image"),
        (tiff_with(262, 0), "its greys do not go from black to white"),
        (tiff_with(259, 7), "TIFF compression 7, allowed are none, LZW, Deflate and PackBits"),
        (two_pages(), "more than one page"),
        (encoded(".png", GREY.astype(np.uint16)), "16 bits a pixel, allowed are 8"),
        (encoded(".tiff", COLOUR.astype(np.uint16)), "16 bits a pixel, allowed are 8"),
        (encoded(".png", COLOUR), "a colour picture, allowed is grey, also in three equal channels"),
        (encoded(".jpg", COLOUR), "a colour picture, allowed is grey, also in three equal channels"),
        (encoded(".png", np.dstack([COLOUR, GREY])), "colour with transparency, allowed is plain grey, or red"),
        (encoded(".bmp")[:-1], "cut off"),
        (grey_in_three(".bmp")[:-1], "cut off"),
        (grey_in_three(".png")[:-13], "cut off"),
        (with_segment(JPEGS["baseline"], 0xE1, EXIF_TURNED), "turned round (Orientation)"),
        (JPEGS["baseline"] + JPEGS["baseline"], "more than one page"),
        (without_a_restart(JPEGS["restarts"]), "damaged: a restart is missing"),
        (JPEGS["baseline"].replace(b"\xff\xc0", b"\xff\xc3"), "coded by JPEG process 3, allowed are 0, 1 and 2"),
        (JPEGS["baseline"].replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c"), "12 bits a pixel"),
        (JPEGS["baseline"][:2] + b"\0" + JPEGS["baseline"][2:], "damaged: no marker at byte 2"),
        (b"\xff\xd8\xff\xd9", "cut off"),
        (JPEGS["baseline"].replace(b"\x08\0\x30\0\x28", b"\x08\xff\xff\xff\xff"), "65535 px high and 65535 wide"),
        (JPEGS["baseline"].replace(b"\x08\0\x30\0\x28", b"\x08\0\0\0\x28"), "it is 0 px high and 40 wide"),
    ],
)
def test_what_is_no_picture_to_train_on_is_refused_in_its_own_words(content: bytes, words: str) -> None:
    with pytest.raises(ScanFileError) as refused:
        decoded_picture(content)
    assert words in str(refused.value)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEGS["baseline"][: len(JPEGS["baseline"]) // 2])
    for name, words in (("a.jpg", "a.jpg: the file is cut off"), ("b.jpg", "b.jpg: it cannot be read: No such file")):
        with pytest.raises(DatasetError) as refused:
            read_picture(tmp_path / name)
        assert refused.value.code == "dataset.bad_source"
        assert words in refused.value.detail


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(JPEGS)), st.lists(st.tuples(st.integers(2, 400), st.integers(0, 255)), max_size=4))
def test_a_damaged_jpeg_is_taken_or_refused(name: str, changes: list[tuple[int, int]]) -> None:
    content = io.BytesIO(JPEGS[name])
    for position, value in changes:
        content.seek(position)
        content.write(bytes([value]))
    try:
        assert decoded_picture(content.getvalue()).dtype == np.uint8
    except ScanFileError:
        return
