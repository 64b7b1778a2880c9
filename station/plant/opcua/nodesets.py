"""The official node sets of the companion specifications, read from files that the user names.

They are not the station's to ship. Whoever has them names their folder; the OPC Foundation publishes them, and several
packages carry them.

What asyncua 2.1 cannot load is left out first: objects that only a design tool needs (`DesignToolOnly`, in DI 1.05),
whose parents are in no server.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from asyncua import Server

from station.core.errors import PlantError

FILE = re.compile(r"opc\.ua\.(\w+)\.nodeset2\.xml", re.IGNORECASE)
WANTED = ("di", "ia", "machinery", "packml", "machinevision")
"""In the order in which they build on each other."""
MACHINERY, PACKML, VISION = (
    "http://opcfoundation.org/UA/Machinery/", "http://opcfoundation.org/UA/PackML/",
    "http://opcfoundation.org/UA/MachineVision",
)  # fmt: skip
MOST_BYTES = 64 << 20
ENTITY = b"<!ENTITY"


@dataclass(frozen=True, slots=True)
class NodeSets:
    """What was loaded.

    Attributes:
        uris: Namespaces of the specifications.
    """

    uris: frozenset[str]

    def has(self, uri: str) -> bool:
        """Whether a specification is there."""
        return uri in self.uris


async def load_nodesets(server: Server, folder: str) -> NodeSets:
    """Load the node sets of a folder that this server uses.

    Args:
        server: Not started yet.
        folder: With files as `Opc.Ua.MachineVision.NodeSet2.xml`; empty: none.

    Raises:
        PlantError: `opcua.bad_nodesets`, with the file and what is wrong with it.
    """
    if not folder:
        return NodeSets(frozenset())
    for path in _files(Path(folder)):
        text = _stripped(path)
        try:
            await server.import_xml(xmlstring=text)
        except Exception as error:  # whatever asyncua's importer stumbles over, it is the file's
            raise PlantError("opcua.bad_nodesets", f"{path}: {type(error).__name__}: {error}"[:300]) from error
    await server.load_data_type_definitions()
    return NodeSets(frozenset(await server.get_namespace_array()))


def _files(folder: Path) -> list[Path]:
    """The files, in the order in which they are loaded.

    Raises:
        PlantError: There is no such folder, or none of them in it.
    """
    try:
        names = {found[1].lower(): path for path in folder.iterdir() if (found := FILE.fullmatch(path.name))}
    except OSError as error:
        raise PlantError("opcua.bad_nodesets", f"{folder}: {error.strerror}") from error
    files = [names[name] for name in WANTED if name in names]
    if not files:
        raise PlantError("opcua.bad_nodesets", f"{folder} has none of Opc.Ua.{{{','.join(WANTED)}}}.NodeSet2.xml")
    return files


def _stripped(path: Path) -> str:
    """The file without what no server can load.

    Raises:
        PlantError: It is no node set.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PlantError("opcua.bad_nodesets", f"{path} has more than {MOST_BYTES} bytes")
        content = path.read_bytes()
        if ENTITY in content:
            raise PlantError("opcua.bad_nodesets", f"{path} declares entities")
        root = ET.fromstring(content)  # noqa: S314  # without entities nothing is expanded
    except OSError as error:
        raise PlantError("opcua.bad_nodesets", f"{path}: {error.strerror}") from error
    except ET.ParseError as error:
        raise PlantError("opcua.bad_nodesets", f"{path}: {error}") from error
    for node in [one for one in root if one.get("DesignToolOnly") == "true"]:
        root.remove(node)
    return ET.tostring(root, encoding="unicode")
