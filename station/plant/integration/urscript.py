"""The program for a Universal Robot: takes the station's orders from its registers, and tells how they ended.

Source: Universal Robots, script manual: read_port_register gives a signed word, write_port_register takes either.
"""

from importlib.resources import files

from drivers.modbus.register_map import RegisterMap

NAME = "inspection_robot"


def urscript(registers: RegisterMap) -> str:
    """The program, for the robot's map as it is laid."""
    text = files("station.plant.integration.program").joinpath("robot.script").read_text(encoding="utf-8").rstrip()
    places = [(f"R_{row.name.upper()}", str(row.address)) for row in registers if f"R_{row.name.upper()}" in text]
    orders, results = registers["order_verb"], registers["order_result"]
    codes = [(name.upper(), str(orders.code(name))) for name in ("load", "unload", "home")]
    codes += [(name.upper(), str(results.code(name))) for name in ("done", "refused", "failed")]
    codes.append(("PLACES", str(max(registers["order_place"].codes))))
    lines = [
        f"# For map version {registers.version} of the inspection station's robot: {registers.profile.description}.",
        "# Places: " + ", ".join(f"{code} {name}" for code, name in registers["order_place"].codes.items() if code),
        f"def {NAME}():",
        "  # ---- registers and codes of the map",
        "",
        *(f"  {name} = {value}" for name, value in places + codes),
        "",
        "  def tell_constants():",
        *(f"    write_port_register({address}, {word})" for address, word in _constants(registers)),
        "  end",
        "",
        text,
        "end",
    ]
    return "\n".join(lines) + "\n"


def _constants(registers: RegisterMap) -> list[tuple[int, int]]:
    """The words that the station must find; version and magic last, for with them the program counts as begun."""
    words = [
        (row.address + place, word)
        for row in registers.constants
        if row.access == "read" and row.constant is not None
        for place, word in enumerate(row.encode(row.constant))
    ]
    return sorted(words, reverse=True)
