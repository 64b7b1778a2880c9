"""One scan from a file: read exactly, or refused in words that say what is wrong with it."""

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.core.errors import RecordingError
from station.core.recording import read_scan
from station.core.scan_file import ScanFileError, grey_size

IMAGE = np.tile(np.arange(90, dtype=np.uint8), (3584, 1))
IMAGE[::7] += 100


def encoded(suffix: str, image: np.ndarray = IMAGE, *options: int) -> bytes:
    done, content = cv2.imencode(suffix, image, options)
    assert done
    return content.tobytes()


def refusal(path: Path) -> str:
    with pytest.raises(RecordingError) as refused:
        read_scan(path, {3584})
    assert refused.value.code == "recording.bad_image"
    name, _colon, words = refused.value.detail.partition(": ")
    assert name == path.name
    return words


@pytest.mark.parametrize(
    "content",
    [
        encoded(".png"),
        encoded(".png", IMAGE, cv2.IMWRITE_PNG_COMPRESSION, 0),
        encoded(".bmp"),
        encoded(".tiff"),
        encoded(".tiff", IMAGE, cv2.IMWRITE_TIFF_COMPRESSION, 1),
        encoded(".tiff", IMAGE, cv2.IMWRITE_TIFF_COMPRESSION, 1, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 3584),
    ],
    ids=["png", "png stored", "bmp", "tiff lzw", "tiff plain", "tiff one strip"],
)
def test_a_grey_scan_is_read_exactly(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(content)
    pixels = read_scan(path, {3584})
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, IMAGE)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.95, 0.999])
def test_a_cut_off_file_is_refused(suffix: str, share: float, tmp_path: Path) -> None:
    content = encoded(suffix)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    words = refusal(path)
    assert ("cut off" in words) or (share < 0.01 and ("empty" in words or "no PNG, TIFF or BMP" in words))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_even_the_last_byte_is_missed(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(encoded(suffix)[:-1])
    assert "cut off" in refusal(path)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(header: tuple[int, ...], data: bytes, *extra: bytes) -> bytes:
    """A PNG put together by hand, all checksums right."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


ROWS = zlib.compress(b"\0" * (3584 * 91))
GREY_HEADER = (90, 3584, 8, 0, 0, 0, 0)
TOO_WIDE = png((16385, 3584, 8, 0, 0, 0, 0), zlib.compress(b"\0" * (3584 * 16386)))


def test_the_hand_made_png_is_a_scan(tmp_path: Path) -> None:
    path = tmp_path / "made.png"
    path.write_bytes(png(GREY_HEADER, ROWS))
    assert not read_scan(path, {3584}).any()


def tiff(*entries: tuple[int, int, int], data: bytes = b"", following: int = 0, order: str = "<") -> bytes:
    """A TIFF put together by hand: its directory comes first, every entry is (tag, type, value)."""
    kinds = {"<": b"II*\0", ">": b"MM\0*"}
    body = struct.pack(f"{order}H", len(entries))
    for tag, kind, value in entries:
        field = struct.pack(f"{order}I" if kind == 4 else f"{order}Hxx", value)
        body += struct.pack(f"{order}HHI", tag, kind, 1) + field
    return kinds[order] + struct.pack(f"{order}I", 8) + body + struct.pack(f"{order}I", following) + data


PLAIN = {
    256: (3, 90),
    257: (3, 3584),
    258: (3, 8),
    259: (3, 1),
    262: (3, 1),
    273: (4, 0),
    277: (3, 1),
    278: (3, 3584),
    279: (4, 3584 * 90),
}


def plain_tiff(
    order: str = "<", data: bytes = IMAGE.tobytes(), following: int = 0, **changes: tuple[int, int]
) -> bytes:
    tags = PLAIN | {int(name[1:]): value for name, value in changes.items()}
    start = 8 + 2 + 12 * len(tags) + 4
    tags |= {273: tags[273] if tags[273][1] else (4, start)}
    return tiff(*((tag, *tags[tag]) for tag in sorted(tags)), data=data, following=following, order=order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_either_byte_order_is_a_scan(order: str, tmp_path: Path) -> None:
    path = tmp_path / "made.tif"
    path.write_bytes(plain_tiff(order))
    np.testing.assert_array_equal(read_scan(path, {3584}), IMAGE)


COLOUR = np.dstack([IMAGE, IMAGE, IMAGE])
BMP = encoded(".bmp")


def bmp_with(offset: int, layout: str, value: int) -> bytes:
    return BMP[:offset] + struct.pack(layout, value) + BMP[offset + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"no image at all", "it is no PNG, TIFF or BMP image"),
        (encoded(".jpg"), "it is no PNG, TIFF or BMP image"),
        (encoded(".png", IMAGE.astype(np.uint16)), "16 bits a pixel, allowed are 8"),
        (encoded(".tiff", IMAGE.astype(np.uint16)), "16 bits a pixel, allowed are 8"),
        (encoded(".tiff", IMAGE.astype(np.float32)), "32 bits a pixel, allowed are 8"),
        (encoded(".png", COLOUR), "a colour image, allowed is plain grey, also where the colours are all grey"),
        (encoded(".bmp", COLOUR), "a colour image, allowed is plain grey"),
        (encoded(".tiff", COLOUR), "a colour image, allowed is plain grey"),
        (encoded(".png", np.dstack([COLOUR, IMAGE])), "colour with transparency"),
        (encoded(".png", IMAGE, cv2.IMWRITE_PNG_BILEVEL, 1), "1 bits a pixel, allowed are 8"),
        (encoded(".png", IMAGE[:-1]), "3583 lines, allowed are 3584"),
        (encoded(".tiff", np.vstack([IMAGE, IMAGE[:1]])), "3585 lines, allowed are 3584"),
        (encoded(".bmp", IMAGE[:, :63]), "63 columns, allowed are 64 to 16384"),
        (TOO_WIDE, "16385 columns, allowed are 64 to 16384"),
        (png((90, 3584, 8, 3, 0, 0, 0), ROWS, png_chunk(b"PLTE", b"\0\0\0")), "an image with a palette"),
        (png((90, 3584, 8, 4, 0, 0, 0), ROWS), "grey with transparency"),
        (png((90, 3584, 8, 5, 0, 0, 0), ROWS), "of colour type 5"),
        (png(GREY_HEADER, ROWS, png_chunk(b"tRNS", b"\0\7")), "grey with transparency"),
        (png((90, 3584, 8, 0, 0, 0, 1), ROWS), "it is interlaced"),
        (png(GREY_HEADER, zlib.compress(b"\0" * 3583 * 91)), "its data are 326053 bytes, its header promises 326144"),
        (png(GREY_HEADER, ROWS[:-20]), "damaged"),
        (png(GREY_HEADER, b"\0" + ROWS), "damaged"),
        (png(GREY_HEADER, zlib.compress(b"\7" * (3584 * 91))), "data do not unpack"),
        (png(GREY_HEADER, ROWS).replace(b"IDAT", b"IDAX"), "wrong checksum in its part IDAX"),
        (bmp_with(28, "<H", 4), "4 bits a pixel"),
        (bmp_with(30, "<I", 1), "a compressed BMP"),
        (bmp_with(60, "<B", 200), "an image with a palette of colours"),
        (bmp_with(22, "<i", 3583), "3583 lines"),
        (plain_tiff(t262=(3, 0)), "do not go from black to white"),
        (plain_tiff(t262=(3, 3)), "an image with a palette"),
        (plain_tiff(t339=(3, 2)), "it is signed, or has fractions"),
        (plain_tiff(t274=(3, 6)), "it is turned round (Orientation)"),
        (png(GREY_HEADER, ROWS, png_chunk(b"eXIf", tiff((274, 3, 3)))), "it is turned round (Orientation)"),
        (png(GREY_HEADER, ROWS, png_chunk(b"eXIf", tiff((274, 3, 3))[:12])), "cut off"),
        (png(GREY_HEADER, ROWS, png_chunk(b"acTL", bytes(8))), "more than one page"),
        (plain_tiff(following=8), "more than one page"),
        (plain_tiff(t277=(3, 3)), "a colour image"),
        (plain_tiff(t279=(4, 100)), "cut off"),
        (plain_tiff(data=IMAGE.tobytes()[:-1]), "cut off"),
        (plain_tiff(t259=(3, 7)), "TIFF compression 7, allowed are none, LZW, Deflate and PackBits"),
    ],
)  # fmt: skip
def test_what_is_no_scan_is_refused_in_its_own_words(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    assert words in refusal(path)


def test_an_error_of_the_decoder_is_told_as_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_content: np.ndarray, _flags: int) -> None:
        raise cv2.error("decoder gave up")

    path = tmp_path / "scan.png"
    path.write_bytes(encoded(".png"))
    monkeypatch.setattr(cv2, "imdecode", fails)
    assert refusal(path) == "the file is damaged: decoder gave up"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.png")
    assert "directory" in refusal(tmp_path)


SMALL = np.random.default_rng(5).integers(0, 256, (40, 70), dtype=np.uint8)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([encoded(suffix, SMALL) for suffix in (".png", ".bmp", ".tiff")]), st.data())
def test_a_damaged_header_never_breaks_the_reader(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        head, tail = st.integers(0, min(200, len(content)) - 1), st.integers(len(content) - 200, len(content) - 1)
        damaged[data.draw(head | tail)] = data.draw(st.integers(0, 255))
    with suppress(ScanFileError):
        grey_size(bytes(damaged))
