"""Compiles the passes over pixels and the simulated camera, for wheels and editable installs; see pyproject.toml."""

import sys
from collections.abc import Callable
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

sys.path.insert(0, str(Path(__file__).parent))
from sim.gentl import build as producer
from station.core.compiler import CompilerError, find_compiler
from station.flow.pixels import build as passes

BUILDS: dict[str, Callable[[Path], Path]] = {
    "sim.gentl.station_linescan": producer.build,
    "station.flow.pixels.libpasses": passes.build,
}
SUFFIXES = {Path(library).stem: Path(library).suffix for library in (producer.PRODUCER, passes.LIBRARY)}
"""By the module's last name: an installation in place asks for no more."""


class BuildLibraries(build_ext):
    """Compiles libraries in the place of Python extension modules."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file as those expect it who load it."""
        return str(Path(*fullname.split(".")).with_suffix(SUFFIXES[fullname.rpartition(".")[2]]))

    def build_extension(self, ext: Extension) -> None:
        """Build it where the command wants it."""
        try:
            BUILDS[ext.name](Path(self.get_ext_fullpath(ext.name)))
        except CompilerError as error:
            raise SystemExit(str(error)) from error


class PlatformWheel(bdist_wheel):
    """The libraries are tied to a platform, but to no version of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, this platform."""
        return "py3", "none", super().get_tag()[2]


def compiler_package() -> list[str]:
    """The package that carries a C compiler, where the machine has none."""
    try:
        find_compiler()
    except CompilerError:
        return ["ziglang"]
    return []


setup(
    setup_requires=compiler_package(),
    ext_modules=[Extension(name, sources=[]) for name in BUILDS],
    cmdclass={"build_ext": BuildLibraries, "bdist_wheel": PlatformWheel},
)
