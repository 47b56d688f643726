"""How much room the program takes on the disk."""

import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import digits_tf
from digits_tf.benchmark.models import shipped

# What reading needs beside OpenCV, which has several names.
_BASE = ("numpy", "absl-py", "ai-edge-litert")
_MB = 1e6


def measure() -> dict[str, Any]:
    """The room of the package, of what it needs to read, and of what that needs.

    Requirements that hold only for some systems or extras are left out.

    Returns:
        "mb": 10^6 bytes by distribution, the largest first, None of one that comes with the
        system; "total_mb", of the others.
    """
    sizes: dict[str, float | None] = {"digits_tf": _size_mb(_own_files())}
    wanted = list(_BASE)
    if opencv := importlib.metadata.packages_distributions().get("cv2"):
        wanted += opencv
    else:
        # apt's has no metadata, and its libraries are everywhere.
        sizes["opencv"] = None
    while wanted:
        name = wanted.pop()
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        name = distribution.metadata["Name"]
        if name not in sizes:
            located = [
                Path(str(distribution.locate_file(each))) for each in distribution.files or ()
            ]
            # Only what pip has installed says which files are its own.
            sizes[name] = _size_mb(located) if distribution.read_text("RECORD") else None
            wanted += [_name(each) for each in distribution.requires or () if ";" not in each]
    ordered = sorted(sizes.items(), key=lambda item: -(item[1] or 0.0))
    return {"mb": dict(ordered), "total_mb": sum(size or 0.0 for size in sizes.values())}


def _size_mb(paths: Iterable[Path]) -> float:
    """Of files, without those that have gone."""
    return sum(path.stat().st_size for path in paths if path.is_file()) / _MB


def _own_files() -> set[Path]:
    """The package's own, where an install for development lists but a link to them."""
    package = Path(digits_tf.__file__).resolve().parent
    code = {each for each in package.rglob("*") if "__pycache__" not in each.parts}
    # In a clone they lie beside the package, with their JSON.
    models = {path.resolve() for path in shipped()}
    return code | models | {path.with_suffix(".json") for path in models}


def _name(requirement: str) -> str:
    """The name at the start of such as "numpy>=1.23"."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
