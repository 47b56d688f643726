"""What on a plane is ink: its contrast against the ground, dark on light or light on dark."""

import dataclasses

import cv2
import numpy as np

# The ground is looked at on a grid of at least so many cells along the shorter side.
_CELLS = 45
# The median, on every so many of these cells (odd, so that they lie in the middle of what they
# stand for): it hardly changes from one to the next.
_SPARSE = 3
# Side of the median's window as a share of the shorter side: it says what the ground is and what
# the ink, so ink must cover less than half of any window.
_WINDOW = 0.7
# What is narrower than such shares of the shorter side can be ink. The widest strokes are a fifth
# of a digit's height; where strokes are thin, a narrow window leaves out the broad traces of a
# sponge and the soft edges of shadows.
_WIDE_STROKE, _THIN_STROKE = 0.28, 0.12
# The narrow window is believed if the strongest ink keeps this share of its contrast, but for such
# a share of the places.
_KEPT, _LOST = 0.6, 0.04
# Where the ground's light differs by more than this ratio, contrast is taken relative to it: the
# same ink in a shadow differs less from its ground, by the same factor.
_EVEN, _MOST_GAIN = 1.3, 2.5
# The 30th percentile of a normal distribution's absolute value, in standard deviations: a measure
# of noise that ink does not reach even where it covers half of the picture.
_NOISE_QUANTILE, _QUANTILE_SIGMA = 0.3, 0.3853
_NOISE_SAMPLE = 1200  # pixels
# Ink stands out of the noise by so many deviations, and by so many grey levels at the least.
_SIGMAS, _LEAST_CONTRAST = 4.0, 8.0
# A mark's ink stands above what is taken for ink at all by this factor; see `cells`.
LEAST_LEVEL, FAINT_LEVEL = 1.9, 1.5
# Most of a picture is ground: this share of its pixels. Ink stands out by so many times the
# contrast that the ground reaches there, unless that is more than such a share of the ink's own:
# then it is a picture with little ground.
_GROUND_QUANTILE, _TEXTURES, _TEXTURE_SHARE = 0.7, 2.5, 0.4
# Above this share of the peak the noise would tear strokes apart; the plane is smoothed.
_NOISY = 0.2
# The same on the coarse grid, where thin strokes are faint: a polarity far below is not looked at.
_COARSE_RIVAL = 0.15
# The strongest contrast is that of at least so many pixels: this share of the longer side.
_PEAK_SIDE = 0.03
# The other polarity is looked at only if its peak is this share of the stronger's.
_RIVAL = 0.45
_AROUND = np.ones((3, 3), np.uint8)


@dataclasses.dataclass(frozen=True, eq=False)
class Ink:
    """Contrast of one polarity.

    Attributes:
        dark: whether the ink is darker than the ground.
        contrast: uint8 (h, w), how much a pixel differs from the ground towards the ink.
        ground: uint8 (h, w), the ground.
        floor: contrast below is noise.
        peak: the strongest contrast but for a few pixels.
    """

    dark: bool
    contrast: np.ndarray
    ground: np.ndarray
    floor: float
    peak: float

    def of(self, plane: np.ndarray, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Contrast of a part of a finer plane.

        Args:
            plane: uint8, the part, of any size.
            x: where the part lies on this one's plane, in its pixels.
            y: likewise.
            w: likewise.
            h: likewise.
        """
        size = plane.shape[1], plane.shape[0]
        ground = cv2.resize(self.ground[y : y + h, x : x + w], size)
        return _contrast(plane, ground, self.dark)


def find_ink(small: np.ndarray) -> list[Ink]:
    """Both polarities, the stronger first; one alone where the other is no match for it.

    Args:
        small: uint8 (h, w).
    """
    size = small.shape[1], small.shape[0]
    grounds = {
        dark: cv2.resize(ground, size, interpolation=cv2.INTER_LINEAR)
        for dark, ground in _grounds(_coarse(small)).items()
    }
    inks = _both(small, grounds)
    if inks and inks[0].floor > _NOISY * inks[0].peak:
        side = 3 if inks[0].floor < 2 * _NOISY * inks[0].peak else 5
        inks = _both(cv2.GaussianBlur(small, (side, side), 0), grounds)
    return [ink for ink in inks if ink.peak > LEAST_LEVEL * ink.floor]


def _both(small: np.ndarray, grounds: dict[bool, np.ndarray]) -> list[Ink]:
    contrasts = {dark: _contrast(small, ground, dark) for dark, ground in grounds.items()}
    noise = max(_LEAST_CONTRAST, _SIGMAS * _noise(small))
    inks = []
    for dark, contrast in contrasts.items():
        peak = _peak(contrast)
        floor = max(noise, min(_TEXTURES * _texture(contrast), _TEXTURE_SHARE * peak))
        if peak > 1.2 * floor:
            inks.append(Ink(dark, contrast, grounds[dark], floor, peak))
    inks.sort(key=lambda ink: -ink.peak)
    return [ink for ink in inks if ink.peak >= _RIVAL * inks[0].peak]


def _peak(contrast: np.ndarray) -> float:
    """The strongest contrast that more than a few glints have."""
    peak = cv2.minMaxLoc(contrast)[1]
    least = _PEAK_SIDE * max(contrast.shape)
    while peak > 1:
        _, strong = cv2.threshold(contrast, 0.6 * peak, 255, cv2.THRESH_BINARY)
        if cv2.countNonZero(strong) >= least:
            break
        peak *= 0.8
    return peak


def _contrast(plane: np.ndarray, ground: np.ndarray, dark: bool) -> np.ndarray:
    contrast = cv2.subtract(ground, plane) if dark else cv2.subtract(plane, ground)
    low, high = cv2.minMaxLoc(ground)[:2]
    if high > _EVEN * max(low, 1):
        # The ground's lightest part keeps its contrast; darker ones gain.
        darkest = max(1.0, high / _MOST_GAIN)
        bounded = cv2.max(ground, darkest) if low < darkest else ground
        cv2.divide(contrast, bounded, dst=contrast, scale=high)
    return contrast


def _coarse(small: np.ndarray) -> np.ndarray:
    # By halves: OpenCV has a quick way for these alone.
    cells = small
    while min(cells.shape) >= 2 * _CELLS:
        height, width = cells.shape[0] // 2, cells.shape[1] // 2
        even = cells[: 2 * height, : 2 * width]
        cells = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    return cells


def _grounds(coarse: np.ndarray) -> dict[bool, np.ndarray]:
    """The ground below dark and below light ink, uint8, on the coarse grid.

    One alone where the other polarity has next to no contrast.
    """
    # The median tells ink from ground but is blunt; the closing follows the light but would call
    # the hole of a dark 0 light ink.
    middle = _middle(coarse)
    differences = {True: cv2.subtract(middle, coarse), False: cv2.subtract(coarse, middle)}
    # Against the median ink stands out at least as much as against the ground.
    most = {dark: cv2.minMaxLoc(each)[1] for dark, each in differences.items()}
    strongest = 0.0
    found = []
    for dark in sorted(most, key=lambda dark: -most[dark]):
        if most[dark] < _COARSE_RIVAL * strongest:
            continue
        # Light ink is dark ink of the negative.
        cells, bound = (coarse, middle) if dark else map(cv2.bitwise_not, (coarse, middle))
        ground = cv2.min(_closed(cells, _WIDE_STROKE), bound)
        ink = cv2.subtract(ground, cells)
        peak = cv2.minMaxLoc(ink)[1]
        strongest = max(strongest, peak)
        found.append((dark, cells, ground, ink, peak))
    grounds = {}
    for dark, cells, ground, ink, peak in found:
        if peak >= _COARSE_RIVAL * strongest:
            ground = _followed(cells, ground, ink, peak)
            grounds[dark] = ground if dark else cv2.bitwise_not(ground)
    return grounds


def _followed(cells: np.ndarray, ground: np.ndarray, ink: np.ndarray, peak: float) -> np.ndarray:
    """The ground of dark ink, followed more closely where strokes are thin."""
    thin = cv2.min(_closed(cells, _THIN_STROKE), ground)
    _, strong = cv2.threshold(ink, 0.5 * peak, 255, cv2.THRESH_BINARY)
    missing = cv2.subtract(cv2.convertScaleAbs(ink, alpha=_KEPT), cv2.subtract(thin, cells))
    lost = cv2.countNonZero(cv2.bitwise_and(missing, strong))
    if lost <= _LOST * cv2.countNonZero(strong):
        ground = thin
    # Along the edge of a shadow a pixel may belong to either side. What is no darker than the
    # darker one is no ink there.
    return cv2.erode(ground, _AROUND)


def _middle(coarse: np.ndarray) -> np.ndarray:
    """The median of each cell's surroundings."""
    start = min(_SPARSE // 2, min(coarse.shape) - 1)
    # The median of nine cells stands for them: a single cell may be ink.
    sparse = cv2.medianBlur(coarse, 3)[start::_SPARSE, start::_SPARSE].copy()
    window = max(3, int(_WINDOW * min(sparse.shape) - 1) // 2 * 2 + 1)
    size = coarse.shape[1], coarse.shape[0]
    return cv2.resize(cv2.medianBlur(sparse, window), size, interpolation=cv2.INTER_LINEAR)


def _closed(coarse: np.ndarray, share: float) -> np.ndarray:
    side = max(3, int(share * min(coarse.shape)))
    return cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))


def _texture(contrast: np.ndarray) -> float:
    """Contrast of the ground with itself: paper's grain, a board's clouds."""
    step = max(1, round((contrast.size / _NOISE_SAMPLE) ** 0.5))
    sample = contrast[::step, ::step].ravel()
    rank = int(_GROUND_QUANTILE * sample.size)
    return float(np.partition(sample, rank)[rank])


def _noise(plane: np.ndarray) -> float:
    """Deviation of the noise in grey levels, from differences of neighbours."""
    step = max(1, round((plane.size / _NOISE_SAMPLE) ** 0.5))
    one, other = plane[::step, :-1:step], plane[::step, 1::step]
    if not one.size:  # a single column
        return 0.0
    sample = cv2.absdiff(one.copy(), other.copy()).ravel()
    rank = int(_NOISE_QUANTILE * sample.size)
    return float(np.partition(sample, rank)[rank]) / _QUANTILE_SIGMA / 2**0.5
