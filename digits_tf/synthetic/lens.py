"""What a camera makes of a scene."""

import cv2
import numpy as np

from digits_tf.synthetic.textures import light, noise


def photographed(
    rng: np.random.Generator, reflectance: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Light, focus, motion, noise, compression.

    Returns:
        The picture, uint8 (h, w); the same before noise, float (h, w); the noise's deviation.
    """
    shape = reflectance.shape
    field = reflectance
    if rng.random() < 0.7:
        field = field * light(rng, shape) * rng.uniform(0.45, 1.1)
    if rng.random() < 0.08:  # glare
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        spot = rng.uniform(0, 1, 2) * shape
        reach = max(shape) * rng.uniform(0.05, 0.3)
        field = field + rng.uniform(0.3, 1.0) * np.exp(
            -((y - spot[0]) ** 2 + (x - spot[1]) ** 2) / reach**2
        )
    blur = rng.random()
    if blur < 0.45:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(0.3, 1.2))
    elif blur < 0.53:
        field = cv2.GaussianBlur(field, (0, 0), rng.uniform(1.0, 2.2))
    if rng.random() < 0.08:  # the hand moved
        length = int(rng.integers(2, 6))
        kernel = np.zeros((length, length), np.float32)
        if rng.random() < 0.5:
            kernel[length // 2] = 1 / length
        else:
            kernel[:, length // 2] = 1 / length
        field = cv2.filter2D(field, -1, kernel)
    if rng.random() < 0.3:
        field = np.clip(field, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.35)))
    sigma = 10 ** rng.uniform(-0.5, 1.0)
    clean = 255 * np.clip(field, 0, 1)
    frame = clean + sigma * noise(rng, shape, rng.uniform(0.3, 0.8))
    image = np.clip(frame, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_GRAYSCALE)
    return image, clean, sigma
