"""The board that the program draws by itself."""

import itertools

import cv2
import numpy as np

from digits_tf.camera import demo
from digits_tf.camera.demo import SHAKE_MARGIN, CameraEffects


def first_frames(count, seed=0):
    return list(itertools.islice(demo.frames(seed), count))


def test_frames_depend_on_the_seed_only():
    first, again, other = (
        np.stack([frame.picture for frame in first_frames(17, seed)[::8]]) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


class NoBoard:
    """Draws nothing, as that takes long."""

    def draw(self, segments, digit_height):
        assert segments.shape[1:] == (2, 2)

    def wipe(self, share):
        assert 0 < share <= 1


def test_each_round_writes_the_ten_digits_alone_and_as_numbers():
    texts = [
        text for text, _ in itertools.groupby(itertools.islice(demo._write(NoBoard(), 0), 1014))
    ]
    # Written, shown, wiped, empty, and so on.
    assert set(texts[0::4]) == set(texts[2::4]) == {None}
    assert set(texts[3::4]) == {""}
    shown = texts[1::4]
    for turn in (shown[:6], shown[6:12]):
        assert sorted("".join(turn)) == list("0123456789")
        assert {len(text) for text in turn} == {1, 2, 4}
    assert shown[:6] != shown[6:12]


def test_digits_are_written_stroke_by_stroke_and_wiped():
    taken = first_frames(150)
    written = next(index for index, frame in enumerate(taken) if frame.text)
    wiped = next(index for index, frame in enumerate(taken) if frame.text == "")
    ink = [
        int((cv2.cvtColor(frame.picture, cv2.COLOR_BGR2GRAY) > 150).sum())
        for frame in (taken[0], taken[written // 2], taken[written], taken[wiped])
    ]
    assert 0 < ink[0] < ink[1] < ink[2]
    assert ink[3] == 0
    picture = taken[written].picture
    assert picture.shape == (demo.HEIGHT, demo.WIDTH, 3)
    assert picture.dtype == np.uint8


def test_camera_effects_are_light_shaking_and_noise():
    effects = CameraEffects(np.random.default_rng(0), 320, 180, 30.0)
    board = np.full((180 + 2 * SHAKE_MARGIN, 320 + 2 * SHAKE_MARGIN, 3), 100, np.uint8)
    board[90 + SHAKE_MARGIN :] = 200
    pictures = [effects.apply(board, index).astype(float) for index in range(90)]
    # Noise: neighbouring frames differ everywhere, but little.
    step = np.abs(pictures[1] - pictures[0])[:80]
    assert 2 < step.mean() < 8
    # Light: the left and the right of the board change independently.
    sides = np.array(
        [[picture[:80, :40].mean(), picture[:80, -40:].mean()] for picture in pictures]
    )
    assert np.ptp(sides[:, 0]) > 5
    assert np.ptp(sides[:, 0] - sides[:, 1]) > 5
    # Shaking: the edge moves by some pixels.
    edges = {
        int(np.argmax(picture[:, 160, 1] > picture[:60, 160, 1].mean() * 1.5))
        for picture in pictures
    }
    assert 3 <= len(edges) <= 2 * SHAKE_MARGIN + 1
