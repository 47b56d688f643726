"""Which names of NumPy and OpenCV the base uses: what reads digits, without what trains.

python scripts/old_versions_names.py

Says which of them the NumPy and the OpenCV of this Python lack, and writes the list of those that
they have, tests/old_versions.txt: to be run by scripts/old_versions_check.py with the oldest ones.
Without absl, as what is looked at is not to be imported.
"""

import ast
import functools
import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The names that the oldest versions have, out of those that the base uses or used.
LIST = ROOT / "tests" / "old_versions.txt"
ENTRIES = (
    "digits_tf",
    "digits_tf.cli.camera",
    "digits_tf.cli.predict",
    "digits_tf.cli.benchmark",
)
_PACKAGES = {"np": "numpy", "numpy": "numpy", "cv2": "cv2"}
# What gives the module cv2, see digits_tf/opencv.py.
_IMPORTER = "import_cv2"


def modules(entries: Iterable[str] = ENTRIES) -> dict[str, Path]:
    """The project's modules that others import, also within functions, and these; by name."""
    found: dict[str, Path] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if name in found or path is None:
            continue
        found[name] = path
        # A module's packages are imported before it.
        waiting += [name.rpartition(".")[0], *_imports(ast.parse(path.read_text()))]
    return found


def used(paths: Iterable[Path]) -> dict[str, str]:
    """Names such as cv2.add and numpy.random.default_rng, each with a place where it stands.

    A file may use what it asks for by hasattr.
    """
    found: dict[str, str] = {}
    for path in sorted(paths):
        tree = ast.parse(path.read_text())
        asked = set(_asked(tree))
        for name, line in _names(tree):
            if name not in asked:
                found.setdefault(name, f"{path.relative_to(ROOT)}:{line}")
    return found


def lacking(names: Iterable[str]) -> list[str]:
    """Those of the names that the packages of this Python do not have."""
    return sorted(name for name in names if not _is_there(name))


def known() -> set[str]:
    """The names in the list."""
    lines = LIST.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def _write() -> int:
    """Writes the list; returns the exit code."""
    names = used(modules().values())
    absent = lacking(names)
    versions = " and ".join(
        f"{name} {importlib.import_module(name).__version__}" for name in ("numpy", "cv2")
    )
    lines = [
        f"# Names that {versions} have, out of those that the base uses.",
        "# Made by scripts/old_versions_check.py.",
        *sorted(set(names) - set(absent)),
    ]
    LIST.write_text("\n".join(lines) + "\n")
    for name in absent:
        print(f"error: {names[name]}: {name} is not in {versions}", file=sys.stderr)
    return 1 if absent else 0


def _is_there(name: str) -> bool:
    package, *parts = name.split(".")
    try:
        functools.reduce(getattr, parts, importlib.import_module(package))
    except AttributeError:
        return False
    return True


def _file(name: str) -> Path | None:
    """Where a module of the project is; None: it is none, but a name in one or another's."""
    path = ROOT.joinpath(*name.split("."))
    if not name.startswith("digits_tf"):
        return None
    places = (path / "__init__.py", path.with_suffix(".py"))
    return next((each for each in places if each.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # Each may be a module or something in one.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = _dotted(node)
            if name:
                yield name, node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _PACKAGES:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _asked(tree: ast.AST) -> Iterator[str]:
    """What the file asks for by hasattr(cv2, "name")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            match node.func.id, node.args:
                case "hasattr", [ast.Name(id=package), ast.Constant(value=str(name))]:
                    yield f"{_PACKAGES.get(package, package)}.{name}"


def _dotted(node: ast.expr) -> str:
    """An attribute's full name, if it is one of NumPy's or OpenCV's; else empty."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        root = _PACKAGES.get(node.id)
    else:
        called = node.func if isinstance(node, ast.Call) else None
        root = "cv2" if isinstance(called, ast.Name) and called.id == _IMPORTER else None
    return ".".join((root, *reversed(parts))) if root else ""


if __name__ == "__main__":
    sys.exit(_write())
