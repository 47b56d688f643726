"""Plain forms that are digits whoever drew them: a bar is a 1, a ring is a 0."""

import cv2
import numpy as np

# Of all the ink: deviation across over deviation along it. A pen's bar has 0.2, a thick one 0.3.
_NARROW = 0.32
_STEEP = 45  # degrees from the vertical
# A ring's outline: how much of its hull it covers, and its hull of the rectangle around it; a
# triangle covers 0.5 of it, an ellipse 0.785, a rectangle 1.
_CONVEX, _ROUND = 0.92, (0.69, 0.89)
_HOLLOW = 0.12  # a ring's hole as a share of its area


def is_like_digit(crop: np.ndarray) -> bool:
    """Whether a picture, uint8 (28, 28), is a plain bar or ring."""
    return is_bar(crop) or is_ring(crop)


def is_bar(crop: np.ndarray) -> bool:
    """Whether a picture is a plain bar, more upright than lying.

    Args:
        crop: uint8 (28, 28), bright on 0.
    """
    moments = cv2.moments(crop)
    if not moments["m00"]:
        return False
    covariance = np.array([[moments["mu20"], moments["mu11"]], [moments["mu11"], moments["mu02"]]])
    values, axes = np.linalg.eigh(covariance)
    narrow = max(values[0], 0.0) < _NARROW**2 * values[1]
    steep = abs(axes[1, 1]) > np.cos(np.deg2rad(_STEEP))
    return bool(narrow and steep)


def is_ring(crop: np.ndarray) -> bool:
    """Whether a picture is a plain ring with nothing in it.

    Args:
        crop: uint8 (28, 28), bright on 0.
    """
    solid = cv2.threshold(crop, 80, 255, cv2.THRESH_BINARY)[1]
    outlines, levels = cv2.findContours(solid, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    # One outline and one hole.
    if len(outlines) != 2 or levels[0][0][2] < 0:
        return False
    outer, hole = cv2.contourArea(outlines[0]), cv2.contourArea(outlines[1])
    hull = cv2.convexHull(outlines[0])
    _, (a, b), _ = cv2.minAreaRect(hull)
    covered = cv2.contourArea(hull) / max(a * b, 1.0)
    return (
        outer > _CONVEX * cv2.contourArea(hull)
        and _ROUND[0] < covered < _ROUND[1]
        and hole > _HOLLOW * outer
    )
