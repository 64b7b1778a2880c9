"""Builds the simulated camera into the package, for wheels and for editable installs. All else is in pyproject.toml."""

import importlib.util
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

# By its path: the package that it belongs to needs libraries that a build environment lacks.
_SPEC = importlib.util.spec_from_file_location("producer_build", Path(__file__).parent / "sim" / "gentl" / "build.py")
if _SPEC is None or _SPEC.loader is None:
    raise SystemExit("sim/gentl/build.py is missing")
producer_build = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(producer_build)


class BuildProducer(build_ext):
    """Compiles the GenTL producer in the place of a Python extension module."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file as GenTL consumers expect it."""
        return str(Path(*fullname.split(".")).with_suffix(".cti"))

    def build_extension(self, ext: Extension) -> None:
        """Build it where the command wants it."""
        try:
            producer_build.build(Path(self.get_ext_fullpath(ext.name)))
        except producer_build.CompilerError as error:
            raise SystemExit(str(error)) from error


class PlatformWheel(bdist_wheel):
    """The producer is tied to a platform, but to no version of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3, this platform."""
        return "py3", "none", super().get_tag()[2]


def compiler_package() -> list[str]:
    """The package that carries a C compiler, where the machine has none."""
    try:
        producer_build.find_compiler()
    except producer_build.CompilerError:
        return ["ziglang"]
    return []


setup(
    setup_requires=compiler_package(),
    ext_modules=[Extension("sim.gentl.station_linescan", sources=[])],
    cmdclass={"build_ext": BuildProducer, "bdist_wheel": PlatformWheel},
)
