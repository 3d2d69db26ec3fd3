"""The script that py3Dmol needs, from a package that is installed: nothing is fetched from outside."""

import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

# The wheel of chemiscope (BSD-3) carries one bundle with 3Dmol.js inside; loaded, it sets window.$3Dmol.
PACKAGE, BUNDLE = "chemiscope", "chemiscope.min.js"


def ensure_3dmol(static: Path) -> str | None:
    """The URL of a script that sets `$3Dmol`, copied into `static`/vendor if needed; None if missing."""
    source = _shipped()
    if source is None:
        return None
    path, version = source
    target = static / "vendor" / f"{PACKAGE}-{version}.min.js"
    try:
        if not target.is_file() or target.stat().st_size != path.stat().st_size:
            _copy(path, target)
    except OSError:  # a full or read-only disk
        return None
    return f"/app/static/vendor/{target.name}"


def _shipped() -> tuple[Path, str] | None:
    """The bundle and its version, from the wheel's own list of files; to import the package is slow."""
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        return None
    found = [Path(str(file.locate())) for file in package.files or [] if file.name == BUNDLE]
    return (found[0], package.version) if found and found[0].is_file() else None


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all: two sessions may copy at the same moment, and a third may be reading."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(handle)
    try:
        shutil.copyfile(source, unfinished)
        os.chmod(unfinished, 0o644)
        os.replace(unfinished, target)
    finally:
        Path(unfinished).unlink(missing_ok=True)
