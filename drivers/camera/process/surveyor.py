"""The process behind `drivers.camera.survey`: asks one question of producers, writes the answer as JSON, and ends.

Arguments: the number of an inherited file, `devices` or `features`, a producer, and a camera's serial number.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from genicam import genapi
from genicam.genapi import EInterfaceType as Kind

from drivers.camera.process.device import Complaints, load_producer, new_harvester, open_camera, serial_of
from drivers.camera.process.features import FOREIGN_ERRORS, explain, read_node
from drivers.camera.process.service import end_with_parent
from drivers.camera.survey import FoundDevice, FoundFeature, Limits
from station.core.errors import CameraError

BUFFERS = 3
ACCESS = {1: "read and write", 2: "read only", 3: "no access", 4: "busy", 5: "open", 6: "open, read only"}
"""Source: GenTL standard 1.6, DEVICE_ACCESS_STATUS."""
RIGHTS = {
    genapi.EAccessMode.NI: "NI",
    genapi.EAccessMode.NA: "NA",
    genapi.EAccessMode.WO: "WO",
    genapi.EAccessMode.RO: "RO",
    genapi.EAccessMode.RW: "RW",
}
VISIBILITIES = ("beginner", "expert", "guru", "invisible")
KINDS = {
    Kind.intfIBoolean: "boolean",
    Kind.intfIInteger: "integer",
    Kind.intfIFloat: "float",
    Kind.intfIEnumeration: "enumeration",
    Kind.intfIString: "text",
    Kind.intfICommand: "command",
}


def devices(producer: str) -> list[FoundDevice]:
    """The cameras of one producer.

    Raises:
        CameraError: It cannot be loaded.
    """
    complaints = Complaints()
    harvester = new_harvester(complaints)
    load_producer(harvester, producer, complaints)
    return [
        FoundDevice(
            model=_told(info, "model"),
            serial_number=serial_of(info),
            vendor=_told(info, "vendor"),
            access=ACCESS.get(_attribute(info, "access_status"), "unknown"),
            transport=_told(info, "tl_type"),
            producer=producer,
        )
        for info in harvester.device_info_list
    ]


def features(producer: str, serial_number: str) -> list[FoundFeature]:
    """The feature tree of one camera.

    Raises:
        CameraError: There is no such camera, or it cannot be opened.
    """
    complaints = Complaints()
    harvester = new_harvester(complaints)
    load_producer(harvester, producer, complaints)
    acquirer = open_camera(harvester, serial_number, BUFFERS)
    found = dict(_walk(acquirer.remote_device.node_map.get_node("Root"), ""))
    harvester.reset()
    return list(found.values())


def _walk(category: Any, path: str) -> Iterator[tuple[str, FoundFeature]]:
    for feature in category.features:
        name, kind = feature.node.name, feature.node.principal_interface_type
        if kind == Kind.intfICategory:
            yield from _walk(feature, f"{path}/{name}".lstrip("/"))
        elif kind in KINDS:
            yield name, _describe(feature, KINDS[kind], path)


def _describe(feature: Any, kind: str, path: str) -> FoundFeature:
    node = feature.node
    readable = kind != "command" and genapi.is_readable(feature)
    choices = feature.entries if kind == "enumeration" else ()
    visibility = node.visibility
    return FoundFeature(
        category=path,
        name=node.name,
        kind=kind,
        value=_known(lambda: read_node(feature)) if readable else None,
        access=RIGHTS.get(feature.get_access_mode(), "NA"),
        visibility=VISIBILITIES[visibility] if 0 <= visibility < len(VISIBILITIES) else "invisible",
        limits=_limits(feature, kind, readable=readable) if kind in {"integer", "float"} else Limits(),
        entries=tuple(entry.symbolic for entry in choices if genapi.is_available(entry)),
        selectors=tuple(selecting.node.name for selecting in node.selecting_features),
        meaning=node.tooltip or node.description or "",
    )


def _limits(number: Any, kind: str, *, readable: bool) -> Limits:
    return Limits(
        lowest=_known(lambda: float(number.min)) if readable else None,
        highest=_known(lambda: float(number.max)) if readable else None,
        step=_known(lambda: int(number.inc)) if kind == "integer" and readable else None,
        unit=_known(lambda: str(number.unit)) or "",
    )


def _known(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except FOREIGN_ERRORS:
        return None


def _told(info: Any, name: str) -> str:
    return str(_attribute(info, name) or "")


def _attribute(info: Any, name: str) -> Any:
    return _known(lambda: getattr(info, name))


def rows_of(question: str, *arguments: str) -> list[dict[str, Any]]:
    """The answer to `devices` or `features` as rows of JSON.

    Raises:
        CameraError: As those two.
    """
    if question == "devices":
        return [asdict(one) for one in devices(*arguments)]
    return [one.as_row() for one in features(*arguments)]


def main(file: int, question: str, *arguments: str) -> None:
    """Ask, answer and end, before a producer's own clean-up can hang."""
    end_with_parent()
    try:
        answer: dict[str, Any] = {"rows": rows_of(question, *arguments)}
    except CameraError as error:
        answer = {"code": error.code, "detail": error.detail}
    except FOREIGN_ERRORS as error:
        answer = {"code": "camera.lost", "detail": explain(error)}
    with os.fdopen(file, "w", encoding="utf-8") as target:
        json.dump(answer, target)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
