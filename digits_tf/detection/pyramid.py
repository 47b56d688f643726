"""A frame's planes: small grey pictures of it, which the detector looks at."""

import cv2
import numpy as np

# Pixels: the height of the coarsest plane, and the shorter side of the finest. On a plane a digit
# of 10 to 110 pixels is found: on the coarsest one that fills the frame, on the finest one of 1/36
# of its height.
COARSEST, FINEST = 96, 384
# Planes of a picture for each doubling of their size: of seven looks at a digit one is lucky, and
# what is none seldom looks like one in all. A film has time for one, and three in all.
_A_DOUBLING, FILM_PLANES = 3, 3
# A plane may be so many times as fine as the frame. A strip's coarsest plane is not longer than
# this, and its finest not longer than four times as much.
_FINER, _LONGEST = 1.3, 2048
# A film's frame that is so many times as large as a plane is halved for it.
_HALVED = 1.8


def check(frame: np.ndarray) -> None:
    """Refuses what is no frame.

    Raises:
        ValueError: if it is of another type or shape than uint8 (h, w) or (h, w, 1, 3 or 4), or
            has no pixels.
    """
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            f"expected uint8 (h, w), (h, w, 3) or (h, w, 4). Received: {frame.dtype} {frame.shape}"
        )
    if not frame.size:
        raise ValueError(f"expected a frame with pixels. Received: {frame.shape}")


def grey(frame: np.ndarray) -> np.ndarray:
    """A frame's grey, uint8 (h, w)."""
    if frame.ndim == 2:
        return frame
    if frame.shape[2] == 1:
        return frame[..., 0]
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY if frame.shape[2] == 3 else cv2.COLOR_BGRA2GRAY)


def halved_to(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Halves a picture as long as it stays at least of a width and height.

    Means of two by two pixels are many times as quick as other means; of an odd side the last row
    or column is left out, since only by exactly 2 it is so quick.
    """
    while picture.shape[1] >= 2 * size[0] and picture.shape[0] >= 2 * size[1]:
        picture = _halved(picture)
    return picture


def _halved(picture: np.ndarray) -> np.ndarray:
    half = picture.shape[1] // 2, picture.shape[0] // 2
    even = picture[: 2 * half[1], : 2 * half[0]]
    return cv2.resize(even, half, interpolation=cv2.INTER_AREA)


def shrunk(frame: np.ndarray) -> list[np.ndarray]:
    """The planes of a picture, uint8 (h, w), grey, the coarsest first.

    Each pixel is a mean of all that it covers: a thin pen in a large frame would fall between
    pixels that are merely sampled.

    Args:
        frame: uint8 (h, w), (h, w, 3) BGR or (h, w, 4) BGRA.
    """
    wanted = sizes(frame.shape)
    rest = grey(halved_to(frame, wanted[-1]))
    planes = []
    for size in reversed(wanted):
        rest = halved_to(rest, size)
        way = cv2.INTER_AREA if rest.shape[1] > size[0] else cv2.INTER_LINEAR
        planes.append(cv2.resize(rest, size, interpolation=way))
    return planes[::-1]


def film_part(
    frame: np.ndarray, size: tuple[int, int], window: tuple[int, int, int, int]
) -> np.ndarray:
    """A part of a plane of a film's frame, uint8 (h, w), grey.

    Most of the time goes into fetching the frame from memory. So of a large frame only every second
    or third row is read.

    Args:
        frame: uint8 (h, w), (h, w, 3) BGR or (h, w, 4) BGRA.
        size: width and height of the whole plane.
        window: top, bottom, left, right of the part on the plane.
    """
    top, bottom, left, right = window
    across, down = frame.shape[1] / size[0], frame.shape[0] / size[1]
    rows, columns = (
        slice(round(start * zoom), max(round(start * zoom) + 1, round(end * zoom)))
        for start, end, zoom in ((top, bottom, down), (left, right, across))
    )
    return reduced(frame[rows, columns], (right - left, bottom - top))


def reduced(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame's grey at a smaller width and height, uint8 (h, w), of some of its rows."""
    zoom = frame.shape[0] / size[1]
    # Means of two by two are the quickest: rows are chosen so that halving them gives the size.
    halvings = max(1, round(np.log2(zoom)) - 1) if zoom > _HALVED else 0
    step = max(1, round(zoom / 2**halvings))
    seen = grey(frame[(step - 1) // 2 :: step])
    for _ in range(halvings if min(seen.shape) >= 2**halvings else 0):
        seen = _halved(seen)
    return cv2.resize(seen, size, interpolation=cv2.INTER_LINEAR)


def sizes(shape: tuple[int, ...], film: bool = False) -> list[tuple[int, int]]:
    """Width and height of each plane; none is much finer than the frame, strips are less high."""
    height, width = shape[:2]
    coarsest = min(COARSEST / height, _LONGEST / width)
    most = min(_FINER, FINEST / min(height, width), 4 * _LONGEST / max(height, width))
    finest = max(coarsest, most)
    doublings = np.log2(finest / coarsest)
    steps = min(FILM_PLANES - 1, round(doublings)) if film else round(_A_DOUBLING * doublings)
    scales = coarsest * 2 ** np.linspace(0, doublings if steps else 0, steps + 1)
    return [(max(1, round(width * each)), max(1, round(height * each))) for each in scales.tolist()]
