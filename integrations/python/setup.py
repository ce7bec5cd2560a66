"""Builds the C library of ../c into the wheel. All else is in pyproject.toml."""

import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

library = Path(__file__).resolve().parent.parent / "c"


class BuildWithLibrary(build_py):
    """Compiles libgranary.so and puts it beside the modules."""

    def run(self) -> None:
        super().run()
        build = Path(self.get_finalized_command("build").build_temp).resolve() / "c"
        made = build / "libgranary.so"
        subprocess.run(["make", "-C", library, f"BUILD={build}", made], check=True)
        self.copy_file(str(made), str(Path(self.build_lib) / "granary" / "libgranary.so"))


class PlatformWheel(bdist_wheel):
    """A wheel for every Python 3 of one platform: the library knows nothing of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])


class PlatformDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


setup(
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel},
    distclass=PlatformDistribution,
)
