"""Files that are whole or not there at all."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from digits_tf.errors import DigitsError

_PREFIX = ".part-"
# Of a JSON file that is read: this project's have a few kilobytes.
_MOST_JSON_BYTES = 1 << 24
# What the system answers where files cannot be locked.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Replaces a file in one step: yields a name beside it, and renames what is written there.

    Syncs the file before the rename and its folder after it, so that a kill or a power cut at any
    instant leaves the old file or the new one. An error leaves nothing behind, and an OSError names
    `path`.

    Args:
        path: the file to write; its folder is made.

    Yields:
        A path in the same folder with the same suffix (Keras and OpenCV choose the format by it).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        beside = Path(name)
        try:
            yield beside
            sync(beside)
            # mkstemp makes private files; these are to be shared like any other.
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
            sync(path.parent)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        if Path(str(error.filename)).name.startswith(_PREFIX):
            error.filename, error.filename2 = str(path), None
        raise


def make_folder(folder: Path) -> None:
    """Makes a folder and checks that files can be written into it, before anything takes time.

    Raises:
        DigitsError: if it is a file.
        OSError: if nothing can be written there; it names the folder.
    """
    if folder.exists() and not folder.is_dir():
        raise DigitsError(f"{folder}: expected a folder to write into, found a file")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        error.filename = str(folder)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file, see `replacing`."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON, see `replacing`."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object from a file that anyone may have written.

    Raises:
        DigitsError: if it is none, is damaged, or has more than 16 MiB.
        OSError: if it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise DigitsError(f"{path}: expected JSON, found no file")
    with path.open("rb") as file:
        content = file.read(_MOST_JSON_BYTES + 1)
    if len(content) > _MOST_JSON_BYTES:
        raise DigitsError(f"{path}: expected JSON, found more than {_MOST_JSON_BYTES >> 20} MiB")
    try:
        found = json.loads(content)
    # Brackets in brackets, a thousand deep, are no ValueError.
    except (ValueError, RecursionError) as error:
        raise DigitsError(f"{path}: expected JSON ({error})") from None
    if not isinstance(found, dict):
        raise DigitsError(f"{path}: expected a JSON object")
    return found


@contextlib.contextmanager
def locked(path: Path, *, busy: str | None = None) -> Iterator[None]:
    """Keeps other programs out that lock the same file.

    The system lets go of the lock when the program ends, however it ends.

    Args:
        path: is made if it is not there, and stays. Where its file system knows no locks, as some
            of a network, nobody is kept out.
        busy: what to tell if another program is not done; None: wait until it is.

    Raises:
        DigitsError: `busy`.
    """
    with path.open("ab") as file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            mode = msvcrt.LK_NBLCK if busy else msvcrt.LK_LOCK  # type: ignore[attr-defined]
            try:
                msvcrt.locking(file.fileno(), mode, 1)  # type: ignore[attr-defined]
            except OSError as error:
                if busy:
                    raise DigitsError(busy) from None
                raise BlockingIOError(error.errno, error.strerror, str(path)) from None
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB if busy else fcntl.LOCK_EX)
            except BlockingIOError:
                raise DigitsError(str(busy)) from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
        yield


def try_lock(file: BinaryIO) -> bool:
    """Locks an open file until it is closed or the program ends, however it ends.

    Args:
        file: on Windows it is not locked: there nobody can rename or delete an open file.

    Returns:
        Whether no other program has it locked; False also where files cannot be locked.
    """
    if os.name != "nt":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def sync(path: Path) -> None:
    """Flushes a file or a folder to the disk. Windows cannot flush folders."""
    if path.is_dir() and os.name == "nt":
        return
    # Windows flushes only what is open for writing.
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flushes every file and folder below `folder`, and itself."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def replace_tree(fresh: Path, target: Path) -> None:
    """Moves the file or folder `fresh` to `target`, then deletes what was there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if fresh.is_file():
        fresh.replace(target)
        return
    old = target.with_name(f".old-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; of a folder that of what is in it."""
    if path.is_dir():
        inner = sorted(each for each in path.rglob("*") if each.is_file())
        listed = [f"{each.relative_to(path).as_posix()} {sha256(each)}\n" for each in inner]
        return hashlib.sha256("".join(listed).encode(errors="surrogateescape")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
