"""The function block as PLCopen XML (TC6, version 2.01), which CODESYS and its kin take in as a whole.

Source: PLCopen TC6, XML formats for IEC 61131-3, version 2.01; namespace http://www.plcopen.org/xml/tc6_0201.
"""

import xml.etree.ElementTree as ET  # it is written, and never read
from collections.abc import Iterable
from datetime import datetime

from station.plant.integration.block import NAME, RESULT, Block, Section, Variable

TC6, XHTML = "http://www.plcopen.org/xml/tc6_0201", "http://www.w3.org/1999/xhtml"
_SECTIONS: tuple[tuple[Section, str, dict[str, str]], ...] = (
    ("input", "inputVars", {}),
    ("output", "outputVars", {}),
    ("in_out", "inOutVars", {}),
    ("constant", "localVars", {"constant": "true"}),
    ("retain", "localVars", {"retain": "true"}),
    ("variable", "localVars", {}),
)
_DERIVED = {"TON", RESULT}


def plcopen_xml(block: Block, made_at: datetime) -> str:
    """A project with the structure of a result and the function block.

    Args:
        block: The block.
        made_at: The date that the format asks for.
    """
    ET.register_namespace("", TC6)
    ET.register_namespace("xhtml", XHTML)
    stamp = made_at.replace(microsecond=0, tzinfo=None).isoformat()
    project = ET.Element(_tag("project"))
    _add(
        project, "fileHeader", companyName="", productName="inspection-station", productVersion="1",
        creationDateTime=stamp,
    )  # fmt: skip
    header = _add(project, "contentHeader", name=NAME, modificationDateTime=stamp)
    coordinates = _add(header, "coordinateInfo")
    for language in ("fbd", "ld", "sfc"):
        _add(_add(coordinates, language), "scaling", x="1", y="1")
    types = _add(project, "types")
    structure = _add(_add(types, "dataTypes"), "dataType", name=RESULT)
    _variables(_add(_add(structure, "baseType"), "struct"), block.fields)
    pou = _add(_add(types, "pous"), "pou", name=NAME, pouType="functionBlock")
    interface = _add(pou, "interface")
    for section, tag, qualifiers in _SECTIONS:
        if rows := block.section(section):
            _variables(_add(interface, tag, **qualifiers), rows)
    text = ET.SubElement(_add(_add(pou, "body"), "ST"), f"{{{XHTML}}}xhtml")
    text.text = block.text.strip()
    _add(_add(project, "instances"), "configurations")
    ET.indent(project)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(project, encoding="unicode") + "\n"


def _variables(parent: ET.Element, rows: Iterable[Variable]) -> None:
    for row in rows:
        variable = _add(parent, "variable", name=row.name)
        _type(_add(variable, "type"), row.type)
        if row.initial:
            _add(_add(variable, "initialValue"), "simpleValue", value=row.initial)
        ET.SubElement(_add(variable, "documentation"), f"{{{XHTML}}}xhtml").text = row.comment


def _type(parent: ET.Element, kind: str) -> None:
    if kind.startswith("ARRAY["):
        bounds, _, element = kind.removeprefix("ARRAY[").partition("] OF ")
        lower, _, upper = bounds.partition("..")
        array = _add(parent, "array")
        _add(array, "dimension", lower=lower, upper=upper)
        _type(_add(array, "baseType"), element)
    elif kind in _DERIVED:
        _add(parent, "derived", name=kind)
    else:
        _add(parent, kind)


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, _tag(tag), attributes)


def _tag(name: str) -> str:
    return f"{{{TC6}}}{name}"
