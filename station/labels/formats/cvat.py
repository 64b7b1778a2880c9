"""CVAT for images, XML 1.1: a part's class is a tag of its picture, a box has the four edges in px.

Written and read is `<tag label>` and `<box label xtl ytl xbr ybr>`. Every other shape, a turned box, and the tracks of
a video are refused with their line: what somebody drew is not turned into something else unasked.
Source: CVAT, XML annotation format, version 1.1, "Annotation".
"""

from collections.abc import Iterator
from pathlib import Path

from station.core.durable import write_whole
from station.labels.formats.entry import Entry, Found, Picture, PictureName, Sheet
from station.labels.formats.rectangle import PictureSize, Rectangle
from station.labels.formats.xml_source import XmlElement, parse_xml, quoted
from station.labels.label import Box, Label, WholePart

# ---------------------------------------------------------------------- read


def read_cvat(path: Path) -> Found:
    """What a file says.

    Raises:
        WrongFileError: It cannot be read, is no CVAT for images, or has what no label can be.
    """
    root = parse_xml(path)
    version = next((element.text for element in root.named("version")), "")
    if root.tag != "annotations" or version != "1.1":
        raise root.wrong(f"<{root.tag}>, version {version!r}: <annotations>, version '1.1' is expected")
    if track := next(root.named("track"), None):
        raise track.wrong("these are annotations of a video; export them as CVAT for images")
    images = list(root.named("image"))
    entries = tuple(entry for image in images for entry in _entries(image))
    return Found(entries, tuple(_left_out(path, images)))


def _entries(image: XmlElement) -> Iterator[Entry]:
    size = PictureSize(image.whole("height"), image.whole("width"))
    picture = PictureName(file=image.attribute("name"), size=size)
    for element in image.children:
        label = element.attribute("label") if element.tag in {"tag", "box"} else ""
        if element.tag == "tag":
            yield Entry(element.where, picture, WholePart(), label)
        elif element.tag == "box":
            yield Entry(element.where, picture, _rectangle(element), label)
        else:
            raise element.wrong(f"<{element.tag}> of {picture}: labels are tags and boxes; make it a box")


def _rectangle(box: XmlElement) -> Rectangle:
    if box.attributes.get("rotation") and box.number("rotation") % 360:
        raise box.wrong("a turned box; make it an upright one")
    return Rectangle(box.number("xtl"), box.number("ytl"), box.number("xbr"), box.number("ybr"))


def _left_out(path: Path, images: list[XmlElement]) -> Iterator[str]:
    if attributes := sum(1 for image in images for element in image.children for _ in element.named("attribute")):
        yield f"{path}: {attributes} attributes of tags and boxes"
    if bare := sum(not image.children for image in images):
        yield f"{path}: {bare} pictures without annotations; of them nothing is said"


# ---------------------------------------------------------------------- written


def write_cvat(path: Path, sheet: Sheet) -> None:
    """Write tags and boxes."""
    pictures = list(sheet.by_picture())
    write_whole(path, "\n".join(_lines(sheet.classes, pictures)).encode())


def _lines(classes: tuple[str, ...], pictures: list[tuple[Picture, list[Label]]]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>'
    yield f"      <size>{len(pictures)}</size>\n      <mode>annotation</mode>\n      <labels>"
    for name in classes:
        yield f"        <label><name>{quoted(name)}</name><type>any</type><attributes></attributes></label>"
    yield "      </labels>\n    </task>\n  </meta>"
    for number, (picture, labels) in enumerate(pictures):
        lines, columns = picture.size
        yield f'  <image id="{number}" name="{quoted(picture.name)}" width="{columns}" height="{lines}">'
        yield from map(_element, labels)
        yield "  </image>"
    yield "</annotations>\n"


def _element(label: Label) -> str:
    name = quoted(label.class_name)
    match label.region:
        case WholePart():
            return f'    <tag label="{name}" source="manual"></tag>'
        case Box() as box:
            edges = Rectangle.of(box)
            sides = f'xtl="{edges.left:.2f}" ytl="{edges.top:.2f}" xbr="{edges.right:.2f}" ybr="{edges.bottom:.2f}"'
            return f'    <box label="{name}" source="manual" occluded="0" {sides} z_order="0"></box>'
        case region:
            raise TypeError(f"CVAT has no {region}")
