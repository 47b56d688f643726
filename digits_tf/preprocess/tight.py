"""A picture that one digit fills to the edges."""

import cv2
import numpy as np

from digits_tf.preprocess.cells import Cell, Found, Option
from digits_tf.preprocess.patch import Patch
from digits_tf.preprocess.plane import Plane

# Grey levels must fall into two heaps: the share of their variance that is between the two
# (Otsu, "A Threshold Selection Method from Gray-Level Histograms", 1979).
_SEPARABLE = 0.7
# Ink covers such shares of the picture, and the ground most of its border.
_INK = (0.03, 0.65)
_BORDER = 0.55
# Strokes are no wider than this share of the digit's longer side; a shadow is. On thumbnails they
# may be blurred.
_WIDEST_STROKE, _BOLD = 0.34, 0.45
# No digit is wider than this times its height. Cameras' frames are wider than that, so that a live
# loop does not pay for what is meant for pictures.
_WIDEST = 1.3
# One shape with such a share of all ink that comes so near to every edge, in shares of the sides,
# fills the picture.
_MOSTLY, _NEAR = 0.9, 0.03


def tight_digit(plane: Plane, filled: bool) -> list[Cell]:
    """Takes all ink of a picture for one digit, by one threshold.

    Where a digit is cut out so closely that there is more ink than ground about, no local measure
    of the ground can tell them apart; the picture as a whole can.

    Args:
        plane: of the picture.
        filled: whether the ink has to reach the edges.

    Returns:
        One cell, or none if the picture is not of that kind.
    """
    small = plane.small
    height, width = small.shape
    if width > _WIDEST * height:
        return []
    _, light = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edge = np.concatenate([light[0], light[-1], light[1:-1, 0], light[1:-1, -1]])
    share = cv2.countNonZero(edge) / edge.size
    dark = share > 0.5
    ground = light if dark else cv2.bitwise_not(light)
    covered = 1 - cv2.countNonZero(ground) / ground.size
    if max(share, 1 - share) < _BORDER or not _INK[0] <= covered <= _INK[1]:
        return []
    if filled and not _reaches(cv2.bitwise_not(ground)):
        return []
    level = cv2.mean(small, ground)[0]
    other = cv2.mean(small, cv2.bitwise_not(ground))[0]
    variance = float(cv2.meanStdDev(small)[1][0, 0]) ** 2
    if covered * (1 - covered) * (other - level) ** 2 < _SEPARABLE * variance:
        return []
    away = round(level)
    contrast = cv2.subtract(away, small) if dark else cv2.subtract(small, away)
    everywhere = np.full_like(small, 255)
    patch = Patch(contrast, everywhere, 0.3 * abs(other - level), (0, 0), plane.factor)
    crop = patch.crop()
    if crop is None or crop.stroke > (_WIDEST_STROKE if plane.factor >= 1 else _BOLD):
        return []
    box = patch.frame_box(crop)
    ink = plane.factor**2 * (height + width) * crop.stroke * max(crop.box[2:]) * crop.level**2
    return [[Option([Found(crop.image, box, 0, lambda: ink)])]]


def _reaches(ink: np.ndarray) -> bool:
    """Whether ink, uint8 (h, w), is one shape, but for specks, that comes near to all edges."""
    height, width = ink.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    x, y, w, h, area = (int(value) for value in stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()])
    gaps = (x / width, y / height, 1 - (x + w) / width, 1 - (y + h) / height)
    return max(gaps) <= _NEAR and area >= _MOSTLY * cv2.countNonZero(ink)
