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
        half = picture.shape[1] // 2, picture.shape[0] // 2
        even = picture[: 2 * half[1], : 2 * half[0]]
        picture = cv2.resize(even, half, interpolation=cv2.INTER_AREA)
    return picture


def shrunk(frame: np.ndarray, film: bool = False) -> list[np.ndarray]:
    """The planes of a frame, uint8 (h, w), grey, the coarsest first.

    Each pixel is a mean of all that it covers: a thin pen in a large frame would fall between
    pixels that are merely sampled.

    Args:
        frame: uint8 (h, w), (h, w, 3) BGR or (h, w, 4) BGRA.
        film: whether it is one of many. Then there are three planes, and of a large frame every
            second row is left out: most of the time goes into reading it from memory.
    """
    wanted = sizes(frame.shape, film)
    width, height = wanted[-1]
    if film and frame.shape[0] >= 2 * height and frame.shape[1] >= 2 * width:
        rows = grey(frame[::2])
        # Linear interpolation halfway between two pixels is their mean.
        half = rows.shape[1] // 2, rows.shape[0]
        rest = cv2.resize(rows[:, : 2 * half[0]], half, interpolation=cv2.INTER_LINEAR)
    else:
        rest = grey(halved_to(frame, wanted[-1]))
    planes = []
    for size in reversed(wanted):
        rest = halved_to(rest, size)
        smaller = rest.shape[1] > size[0] and not film
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        planes.append(cv2.resize(rest, size, interpolation=way))
    return planes[::-1]


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
