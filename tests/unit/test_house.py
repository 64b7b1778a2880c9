"""The house: each import contract notices what it is for, no imports run in a circle, and `station` stays small."""

import ast
import copy
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import api
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract

ROOT = Path(__file__).parents[2]
PACKAGES = ("station", "drivers", "config", "models", "sim")
ENTRIES = 14
TYPES = {"forbidden": ForbiddenContract, "independence": IndependenceContract, "layers": LayersContract}
CONFIGURATION = api.read_configuration(str(ROOT / "pyproject.toml"))
CONTRACTS = {options["name"]: options for options in CONFIGURATION["contracts_options"]}

PLANTS = {
    "Who may import whom: from the command line down to the types": [
        ("station.bench.suite", "station.cli.app"),
        ("station.plant.running", "station.bench.suite"),
        ("station.page.app", "station.plant.running"),
        ("station.offline.inspect", "station.page.app"),
        ("station.labels.label", "station.offline.upkeep.notice"),
        ("station.host.build", "station.offline.inspect"),
        ("station.view.live", "station.host.build"),
        ("station.cell.journey", "station.view.live"),
        ("station.flow.decide", "station.cell.journey"),
        ("station.records.ledger", "station.flow.decide"),
        ("station.flow.decide", "station.records.ledger"),
        ("sim.cell", "station.records.ledger"),
        ("drivers.robot", "sim.cell"),
        ("models.manifest", "sim.cell"),
        ("drivers.robot", "models.manifest"),
        ("models.manifest", "drivers.robot"),
        ("station.core.part", "drivers.robot"),
        ("station.core.part", "models.manifest"),
        ("config", "station.core.part"),
    ],
    "The cell, from the state machine down to the parts of one scan": [
        ("station.cell.controller", "station.cell.operation"),
        ("station.cell.cell", "station.cell.controller"),
        ("station.cell.supply", "station.cell.plc_commander"),
        ("station.cell.desk", "station.cell.reporting"),
        ("station.cell.desk", "station.cell.hearing"),
        ("station.cell.quota", "station.cell.desk"),
        ("station.cell.journey", "station.cell.cell"),
        ("station.cell.inspector", "station.cell.journey"),
        ("station.cell.inspector", "station.cell.recovery"),
        ("station.cell.sorting", "station.cell.announcement"),
        ("station.cell.concluding", "station.cell.sorting"),
        ("station.cell.scan", "station.cell.concluding"),
        ("station.cell.delivery", "station.cell.scan"),
        ("station.cell.motion", "station.cell.scoring"),
        ("station.cell.speed_watch", "station.cell.motion"),
        ("station.cell.packml", "station.cell.alarms"),
        ("station.cell.newcomer", None),
    ],
    "The command line: the commands do not know each other": [
        ("station.cli.bench", "station.cli.app"),
        ("station.cli.recording", "station.cli.records"),
        ("station.cli.model_train", "station.cli.model"),
        ("station.cli.model_train", "station.cli.model_release"),
        ("station.cli.model_tables", "station.cli.model_train"),
        ("station.cli.label_tables", "station.cli.label"),
        ("station.cli.label_exchange", "station.cli.label"),
        ("station.cli.terminal", "station.cli.model_tables"),
        ("station.cli.page", "station.cli.app"),
        ("station.cli.newcomer", None),
    ],
    "What inspects archives again is known to the command line alone, and so is what it is made with": [
        ("station.offline.inspect", "station.offline.archive"),
        ("station.cell.cell", "station.offline.archive"),
        ("station.records.ledger", "pyarrow"),
        ("models.manifest", "ray"),
    ],
    "What keeps the records is known where a station is put together, elsewhere they are a port": [
        ("station.cli.records", "station.records.query"),
        ("station.host.check", "station.records.ledger"),
        ("station.view.live", "station.records.reading"),
        ("station.labels.sqlite", "station.records.database"),
        ("station.page.database", "station.records.database"),
        ("station.page.build", "station.records.tally"),
    ],
    "Only the command line and the process around the cell know the simulator": [
        (importer, "sim.recordings")
        for importer in (
            "station.cell.journey", "station.flow.decide", "station.records.ledger", "station.view.live",
            "station.core.part", "drivers.robot", "models.manifest",
        )
    ],
    "The cell, its steps and its records see ports: no driver, no model, no simulator": [
        (importer, imported)
        for importer in ("station.cell.journey", "station.flow.decide", "station.records.ledger", "station.view.live")
        for imported in ("drivers.robot", "models.manifest", "sim.cell", "config")
    ],
    "What runs in a cell knows nothing of labels": [
        (importer, "station.labels.label")
        for importer in (
            "station.host.build", "station.view.live", "station.cell.journey", "station.flow.decide",
            "station.records.ledger", "station.core.part", "drivers.robot", "models.manifest", "config", "sim.cell",
        )
    ],
    "Nothing but the operator page knows it, and nothing else loads what it is made with": [
        ("station.host.build", "station.page.app"),
        ("station.labels.label", "station.page.app"),
        ("station.offline.inspect", "jinja2"),
        ("station.view.live", "starlette"),
        ("station.cell.journey", "uvicorn"),
        ("station.records.ledger", "argon2"),
        ("station.core.part", "babel"),
        ("drivers.robot", "starlette"),
        ("models.manifest", "jinja2"),
        ("sim.cell", "uvicorn"),
        ("station.plant.sparkplug.node", "station.page.people"),
    ],
    "What serves the plant is known to no other, nor what it is made with": [
        ("station.page.app", "station.plant.cell_values"),
        ("station.host.build", "station.plant.running"),
        ("station.cell.journey", "asyncua"),
        ("station.records.ledger", "aiomqtt"),
        ("station.core.part", "paho"),
        ("drivers.robot", "asyncua"),
        ("models.manifest", "aiomqtt"),
        ("sim.cell", "asyncua"),
        ("station.records.feed", "psycopg"),
        ("station.page.shift.reckoning", "obstore"),
        ("station.offline.inspect", "obstore"),
        ("station.offline.archive.judging", "obstore"),
    ],
    "Steps of the flow do not import each other": [
        ("station.flow.crop", "station.flow.acquire"),
        ("station.flow.turn.seam", "station.flow.crop"),
        ("station.flow.patch", "station.flow.turn"),
        ("station.flow.score", "station.flow.patch"),
        ("station.flow.decide", "station.flow.score"),
        ("station.flow.locate", "station.flow.decide"),
        ("station.flow.acquire", "station.flow.locate"),
    ],
    "A measurement: figures know no parts, measuring knows no report": [
        ("models.evaluation.report.page", "models.evaluation.measurement"),
        ("models.evaluation.measuring.parts", "models.evaluation.report.page"),
        ("models.evaluation.figures.pod", "models.evaluation.measuring.parts"),
        ("models.evaluation.newcomer", None),
    ],
    "The camera knows no Modbus; Modbus knows no camera and no PLC": [
        ("drivers.camera.gentl", "drivers.modbus.link"),
        ("drivers.modbus.link", "drivers.camera.gentl"),
        ("drivers.modbus.server", "drivers.plc.inbox"),
        ("drivers.plc.client", "drivers.robot"),
        ("drivers.robot", "drivers.jig"),
        ("drivers.newcomer", None),
    ],
    "Only the camera's own processes load harvesters and genicam": [
        ("drivers.camera.gentl", "harvesters"),
        ("drivers.camera.survey", "genicam"),
        ("station.host.devices", "harvesters"),
        ("sim.cell", "genicam"),
        ("models.manifest", "harvesters"),
        ("config", "genicam"),
    ],
    "What runs in the camera's own processes is loaded nowhere else": [
        (importer, "drivers.camera.process.device")
        for importer in (
            "station.host.devices", "config", "models.manifest", "sim.cell", "drivers.modbus.link", "drivers.plc.plc",
            "drivers.jig", "drivers.robot", "drivers.camera.gentl", "drivers.camera.child", "drivers.camera.link",
            "drivers.camera.supervisor", "drivers.camera.survey",
        )
    ],
    "Only the Modbus connection knows pymodbus": [
        ("drivers.modbus.link", "pymodbus"),
        ("drivers.modbus.server", "pymodbus"),
        ("drivers.plc.server", "pymodbus"),
        ("station.host.devices", "pymodbus"),
        ("models.manifest", "pymodbus"),
        ("sim.modbus.tcp_server", "pymodbus"),
        ("config", "pymodbus"),
    ],
    "Only the Modbus link opens connections": [
        (importer, "drivers.modbus.connection")
        for importer in (
            "station.host.devices", "drivers.plc.client", "drivers.jig", "drivers.robot", "drivers.modbus.handshake",
            "drivers.modbus.device", "drivers.modbus.status", "drivers.modbus.orders", "drivers.modbus.identity",
            "drivers.modbus.poller", "sim.cell",
        )
    ],
    "The running station loads no training package": [
        ("station.host.bundles", "torch"),
        ("station.view.live", "matplotlib"),
        ("station.offline.inspect", "torch"),
        ("station.cell.compute", "onnxruntime"),
        ("station.host.bundles", "cleanlab"),
        ("station.core.part", "scipy"),
        ("station.flow.score", "onnx"),
        ("station.records.ledger", "tensorboard"),
        ("drivers.robot", "nncf"),
        ("sim.cell", "timm"),
        ("station.host.bundles", "models.training.checkpoint"),  # which loads torch
    ],
}  # fmt: skip
"""What each contract must notice: who may not import whom, or (with None) which module has no place in it."""


@cache
def graph() -> Any:
    """The imports of the packages as they are."""
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def kept(name: str, planted: Any) -> bool:
    """Whether a contract of the configuration is kept by these imports, which are used up."""
    options = CONTRACTS[name]
    contract = TYPES[options["type"]](name, CONFIGURATION["session_options"], options)
    return bool(contract.check(planted, verbose=False).kept)


def modules() -> dict[str, Path]:
    """Every Python module of the packages with its file."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import, wherever it stands, but those for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from statements(node)


def imported(tree: ast.AST, known: dict[str, Path]) -> set[str]:
    """The modules of the packages that a module imports."""
    found = set()
    for node in statements(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            assert node.level == 0, "imports are written out"
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= within & known.keys() or {str(node.module)}
    return found & known.keys()


def test_every_contract_of_the_configuration_has_its_plants() -> None:
    assert set(PLANTS) == set(CONTRACTS)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_violation_breaks_the_contract(name: str) -> None:
    assert kept(name, copy.deepcopy(graph())), "without any plant"
    unnoticed = []
    for importer, target in PLANTS[name]:
        planted = copy.deepcopy(graph())
        if target is None:
            planted.add_module(importer)
        else:
            assert importer in planted.modules, importer
            assert target in planted.modules or target.partition(".")[0] not in PACKAGES, target
            planted.add_import(importer=importer, imported=target)
        if kept(name, planted):
            unnoticed.append((importer, target))
    assert unnoticed == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    imports = {name: imported(ast.parse(path.read_text(encoding="utf-8")), known) for name, path in known.items()}
    assert "station.core.errors" in imports["station.cell.packml"]
    try:
        TopologicalSorter({name: others - {name} for name, others in imports.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' ◀ '.join(error.args[1])}")


def test_the_station_has_no_more_entries_than_one_looks_through() -> None:
    entries = sorted(path.name for path in (ROOT / "station").iterdir() if path.name != "__pycache__")
    assert len(entries) <= ENTRIES, entries


def _takes_the_whole_configuration(tree: ast.Module) -> list[str]:
    """Functions of a module with a parameter of the type `Settings`; those that only make a slice of it apart."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [
        function.name
        for function in functions
        for parameter in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if parameter.annotation is not None
        and ast.unparse(parameter.annotation) == "Settings"
        and function.name != "of"
    ]


@pytest.mark.parametrize("folder", ["station/cell", "station/flow", "station/records", "station/view", "drivers"])
def test_who_works_is_handed_a_slice_of_the_configuration_and_not_all_of_it(folder: str) -> None:
    modules = sorted((ROOT / folder).rglob("*.py"))
    assert modules
    taking = {
        str(path.relative_to(ROOT)): _takes_the_whole_configuration(ast.parse(path.read_text())) for path in modules
    }
    assert {path: names for path, names in taking.items() if names} == {}


def test_who_takes_all_of_the_configuration_is_noticed() -> None:
    planted = "class Cell:\n    def __init__(self, line: Line, settings: Settings) -> None: ...\n"
    assert _takes_the_whole_configuration(ast.parse(planted)) == ["__init__"]
