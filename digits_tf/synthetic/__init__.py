"""Synthetic pictures of digits, and of what is no digit: to train with and to measure on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # grey levels, or ink bright on 0
Field = NDArray[np.floating[Any]]  # float32 or float64: shares, reflectances, random fields
Points = NDArray[np.float64]  # x and y
Labels = NDArray[np.integer[Any]]
