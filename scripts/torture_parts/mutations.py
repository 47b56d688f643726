"""Damages files in the ways in which disks, networks, and people who mean harm do."""

import numpy as np

# What programs that trust a length, a count or an offset stumble over.
_NUMBERS = (0, 1, 2, 27, 28, 255, 256, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEAD = 64  # bytes at a file's start, where its numbers mostly are


def mutated(rng: np.random.Generator, content: bytes, other: bytes = b"") -> tuple[str, bytes]:
    """Damages a file.

    Args:
        rng: draws how.
        content: of the file.
        other: of another file, of which some may get in.

    Returns:
        What was done to it, in a word, and what came of it.
    """
    ways = (_flipped, _numbered, _cut, _lengthened, _shortened, _moved, _joined)
    way = ways[int(rng.integers(len(ways)))]
    return way.__name__[1:], way(rng, content, other)


def _flipped(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    damaged = bytearray(content)
    for place in _places(rng, content, int(rng.integers(1, 9))):
        damaged[place] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def _numbered(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Puts a number that means trouble over one that may mean something."""
    damaged = bytearray(content)
    for place in _places(rng, content, int(rng.integers(1, 3))):
        number = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
        order = ("big", "little")[int(rng.integers(2))]
        # Mostly where numbers stand: at multiples of four.
        place = place // 4 * 4 if rng.random() < 0.8 else place
        width = int(rng.choice((1, 2, 4)))
        written = (number % (1 << 8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
        damaged[place : place + width] = written
    return bytes(damaged)


def _cut(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _lengthened(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    more = int(rng.choice((1, 2, 7, 784, 1000)))
    end = rng.bytes(more) if rng.random() < 0.5 else content[-more:]
    return content + end


def _shortened(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Takes a part out of the middle."""
    start = int(rng.integers(len(content) + 1))
    return content[:start] + content[start + int(rng.integers(1, 40)) :]


def _moved(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Says a part again, somewhere else."""
    start, place = (int(rng.integers(len(content) + 1)) for _ in range(2))
    part = content[start : start + int(rng.integers(1, 200))]
    return content[:place] + part + content[place:]


def _joined(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Begins as this file and ends as another."""
    return content[: int(rng.integers(len(content) + 1))] + other[int(rng.integers(64)) :]


def _places(rng: np.random.Generator, content: bytes, count: int) -> list[int]:
    """Bytes to change, as often at the start as elsewhere."""
    if not content:
        return []
    end = min(_HEAD, len(content)) if rng.random() < 0.5 else len(content)
    places: list[int] = rng.integers(end, size=count).tolist()
    return places
