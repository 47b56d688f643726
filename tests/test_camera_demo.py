"""The board that the program draws by itself."""

import itertools

import cv2
import numpy as np

from digits_tf.camera import demo
from digits_tf.camera.demo import SHAKE_MARGIN, CameraEffects


def frames(count, seed=0):
    return list(itertools.islice(demo.frames(seed), count))


def test_a_shot_depends_on_the_seed_alone():
    first, again, other = (
        np.stack([shot.picture for shot in frames(17, seed)[::8]]) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


class NoBoard:
    """Takes what is written and draws nothing, as that takes long."""

    def draw(self, way, digit_height):
        assert way.shape[1:] == (2, 2)

    def wipe(self, share):
        assert 0 < share <= 1


def test_every_turn_writes_the_ten_digits_singly_and_as_numbers():
    texts = [
        text for text, _ in itertools.groupby(itertools.islice(demo._write(NoBoard(), 0), 1014))
    ]
    # Written, held, wiped, bare, and so on.
    assert set(texts[0::4]) == set(texts[2::4]) == {None}
    assert set(texts[3::4]) == {""}
    held = texts[1::4]
    for turn in (held[:6], held[6:12]):
        assert sorted("".join(turn)) == list("0123456789")
        assert {len(text) for text in turn} == {1, 2, 4}
    assert held[:6] != held[6:12]


def test_chalk_comes_stroke_by_stroke_and_goes():
    taken = frames(150)
    written = next(index for index, shot in enumerate(taken) if shot.text)
    wiped = next(index for index, shot in enumerate(taken) if shot.text == "")
    ink = [
        int((cv2.cvtColor(shot.picture, cv2.COLOR_BGR2GRAY) > 150).sum())
        for shot in (taken[0], taken[written // 2], taken[written], taken[wiped])
    ]
    assert 0 < ink[0] < ink[1] < ink[2]
    assert ink[3] == 0
    picture = taken[written].picture
    assert picture.shape == (demo.HEIGHT, demo.WIDTH, 3)
    assert picture.dtype == np.uint8


def test_light_moves_the_hand_shakes_and_the_sensor_is_noisy():
    effects = CameraEffects(np.random.default_rng(0), 320, 180, 30.0)
    plane = np.full((180 + 2 * SHAKE_MARGIN, 320 + 2 * SHAKE_MARGIN, 3), 100, np.uint8)
    plane[90 + SHAKE_MARGIN :] = 200
    pictures = [effects.apply(plane, index).astype(float) for index in range(90)]
    # Noise: neighbouring frames differ all over, yet little.
    step = np.abs(pictures[1] - pictures[0])[:80]
    assert 2 < step.mean() < 8
    # Light: the left and the right of the board change by themselves.
    sides = np.array([[look[:80, :40].mean(), look[:80, -40:].mean()] for look in pictures])
    assert np.ptp(sides[:, 0]) > 5
    assert np.ptp(sides[:, 0] - sides[:, 1]) > 5
    # Hand: the edge moves by some pixels.
    edges = {int(np.argmax(look[:, 160, 1] > look[:60, 160, 1].mean() * 1.5)) for look in pictures}
    assert 3 <= len(edges) <= 2 * SHAKE_MARGIN + 1
