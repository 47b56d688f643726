"""The image pyramid: sizes of its levels, tiles of live frames, and what their pixels are."""

import itertools

import cv2
import numpy as np
import pytest

import drawn
from digits_tf.detection.pyramid import (
    Tile,
    check,
    level_sizes,
    levels,
    live_tile,
    shrink,
    tiles,
    tiles_of_turn,
)

SHAPE = (480, 640)


def test_a_frame_is_grey_or_of_one_three_or_four_channels():
    for shape in ((5, 6), (5, 6, 1), (5, 6, 3), (5, 6, 4), (1, 1)):
        check(np.zeros(shape, np.uint8))
    for shape in ((), (6,), (5, 6, 0), (5, 6, 2), (5, 6, 5), (5, 6, 3, 1), (0, 6), (5, 0, 3)):
        with pytest.raises(ValueError, match=r"^expected .* Received: "):
            check(np.zeros(shape, np.uint8))
    for other in (np.float32, np.int8, bool):
        with pytest.raises(ValueError, match="expected uint8"):
            check(np.zeros((5, 6), other))


@pytest.mark.parametrize(
    ("shape", "live", "count"),
    [
        (SHAPE, [(128, 96), (256, 192), (512, 384)], 7),
        ((1080, 1920), [(171, 96), (341, 192), (683, 384)], 7),
        ((2160, 3840), [(171, 96), (341, 192), (683, 384)], 7),
        # The coarsest is 96 high, the finest 384 along its shorter side.
        ((1920, 1080), [(54, 96), (144, 256), (384, 683)], 9),
        # None is much finer than the frame.
        ((296, 296), [(96, 96), (192, 192), (384, 384)], 7),
        ((200, 200), [(96, 96), (260, 260)], 5),
        ((146, 146), [(96, 96), (190, 190)], 4),
        ((28, 28), [(96, 96)], 1),
        ((1, 1), [(96, 96)], 1),
        # A strip's coarsest level is no longer than 2048.
        ((20, 5000), [(2048, 8), (3649, 15), (6500, 26)], 6),
        ((300, 9600), [(2048, 64), (4096, 128), (8192, 256)], 7),
        ((3, 100_000), [(2048, 1), (4096, 1), (8192, 1)], 7),
    ],
    ids=str,
)
def test_sizes_of_the_levels(shape, live, count):
    """A picture has about three to each doubling, a live frame three in all."""
    assert level_sizes(shape, live=True) == live
    still = level_sizes(shape)
    assert len(still) == count
    assert (still[0], still[-1]) == (live[0], live[-1])
    for coarse, fine in itertools.pairwise(still):
        assert 1.2 < fine[0] / coarse[0] < 1.33
    frame = np.full(shape, 90, np.uint8)
    for made, expected in ((live_levels(frame), live), (levels(frame), still)):
        assert [level.shape[::-1] for level in made] == expected
        for level in made:
            assert level.dtype == np.uint8
            assert (level == 90).all()


def test_every_level_of_a_picture_is_a_third_of_a_doubling_finer():
    assert [height for _, height in level_sizes(SHAPE)] == [96, 121, 152, 192, 242, 305, 384]


def live_levels(frame):
    return [live_tile(frame, (w, h), (0, h, 0, w)) for w, h in level_sizes(frame.shape, live=True)]


@pytest.mark.parametrize(
    ("shape", "steps"),
    [
        ((2160, 3840), (3, 3, 3)),
        ((1080, 1920), (3, 3, 1)),
        ((720, 1280), (2, 2, 1)),
        ((576, 1024), (2, 2, 2)),
    ],
    ids=str,
)
def test_of_a_large_live_frame_few_rows_are_read(shape, steps):
    """Reading a large frame from memory takes most of the time."""
    frame = drawn.rng(3).integers(0, 256, shape, np.uint8)
    for number, step in enumerate(steps):
        same = []
        for each in (step, step + 1):
            few = np.zeros_like(frame)
            rows = slice((each - 1) // 2, None, each)
            few[rows] = frame[rows]
            same.append(np.array_equal(live_levels(frame)[number], live_levels(few)[number]))
        # Not one less: a thin pen is seen.
        assert same == [True, False]


@pytest.mark.parametrize("shape", [(2160, 3840), (1080, 1920), (720, 1280), SHAPE], ids=str)
def test_a_tile_is_a_part_of_its_level(shape):
    coarse = drawn.rng(3).integers(0, 256, (9, 16), np.uint8)
    frame = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    for width, height in level_sizes(shape, live=True):
        top, left = height // 3, width // 4
        seen = live_tile(frame, (width, height), (top, height, left, width - 9))
        level = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        whole = level[top:, left:-9].astype(int)
        assert np.abs(seen - whole)[2:-2, 2:-2].max() < 8


@pytest.mark.parametrize("shape", [(960, 1280), (1080, 1920), (2160, 3840)], ids=str)
def test_pixels_of_a_level_are_means_not_samples(shape):
    """Of stripes of a pixel each nothing is left but their mean; sampled they would beat."""
    frame = np.zeros(shape, np.uint8)
    frame[:, ::2] = 200
    for stripes in (frame, np.ascontiguousarray(frame[:, : shape[0]].T)):
        for level in levels(stripes):
            inner = level[2:-2, 2:-2]
            assert abs(float(inner.mean()) - 100) < 3
            assert inner.std() < 8
    # Of a live frame, this holds along the rows that are read.
    for level in live_levels(frame):
        assert level.std() < 8
        assert abs(float(level.mean()) - 100) < 3


@pytest.mark.parametrize(
    ("shape", "thick", "live", "least"),
    [
        ((1080, 1920), 2, False, 50),
        ((1080, 1920), 3, True, 50),
        ((2160, 3840), 3, False, 40),
    ],
    ids=str,
)
def test_a_thin_line_is_seen_wherever_it_lies(shape, thick, live, least):
    faintest = 255
    for at in range(400, 420):
        frame = np.full(shape, 200, np.uint8)
        frame[at : at + thick] = 0
        finest = (live_levels if live else levels)(frame)[-1]
        faintest = min(faintest, 200 - int(finest[:, 100].min()))
    assert faintest >= least


def test_colours_are_weighed_as_eyes_do():
    frame = np.zeros((96, 96, 3), np.uint8)
    frame[...] = (200, 20, 90)
    grey = round(0.114 * 200 + 0.587 * 20 + 0.299 * 90)
    for each in (frame, np.dstack([frame, frame[..., :1]])):
        assert abs(int(levels(each)[0][5, 5]) - grey) <= 1
    assert (levels(frame[..., :1])[0] == 200).all()


@pytest.mark.parametrize("shape", [(384, 512), (683, 384)], ids=str)
def test_tiles_overlap_by_a_small_digit_and_by_no_more(shape):
    """The level before shows what is taller; all that they share is looked at twice."""
    finest = [tile for tile in tiles(shape, live=True) if tile.level == 2]
    covered, area = np.zeros(shape, int), 0
    for tile in finest:
        top, bottom, left, right = tile.window(shape)
        covered[top:bottom, left:right] += 1
        area += (bottom - top) * (right - left)
    assert len(finest) == 8
    # The longer side has more tiles.
    assert {tile.grid for tile in finest} == {(2, 4) if shape[1] > shape[0] else (4, 2)}
    assert covered.min() == 1
    # A digit of 28 pixels lies in one of them as a whole, wherever it is.
    for middle in ((index * side // count) for side in shape for index, count in ((1, 2), (1, 4))):
        for axis, side in enumerate(shape):
            ends = {tile.window(shape)[2 * axis : 2 * axis + 2] for tile in finest}
            for start in range(max(0, middle - 30), min(side - 28, middle + 30)):
                assert any(low <= start and start + 28 <= high for low, high in ends)
    assert area < 1.34 * covered.size


@pytest.mark.parametrize("shape", [SHAPE, (1920, 1080)], ids=str)
def test_a_round_of_live_frames_shows_every_tile(shape):
    """Two rounds of sixteen frames: the middle level in every second one, each eighth once."""
    every = tiles(shape, live=True)
    assert tiles_of_turn(shape, 0) == every
    looks = [tile for turn in range(1, 33) for tile in tiles_of_turn(shape, turn)]
    assert set(looks) == set(every)
    assert [looks.count(tile) for tile in every] == [16, 16] + 8 * [2]
    assert max(len(tiles_of_turn(shape, turn)) for turn in range(1, 17)) == 2


@pytest.mark.parametrize(("shape", "count"), [((100, 140), 1), ((200, 200), 2)])
def test_a_frame_of_few_levels_has_no_tiles(shape, count):
    assert tiles(shape, live=True) == [Tile(level) for level in range(count)]
    for turn in range(4):
        assert tiles_of_turn(shape, turn) == tiles(shape, live=True)
    assert tiles(SHAPE, live=False) == [Tile(level) for level in range(len(level_sizes(SHAPE)))]


@pytest.mark.parametrize("columns", [1, 2, 3, 7])
def test_a_frame_of_few_columns_is_not_halved_to_nothing(columns):
    for many in (150, 200, 500, 1000, 4000):
        strip = np.full((many, columns), 90, np.uint8)
        assert (shrink(strip, (1, 96)) == np.full((96, 1), 90)).all()


def test_a_column_has_levels_of_one_column():
    frame = np.full((30_000, 3), 90, np.uint8)
    for level in levels(frame):
        assert level.shape[1] == 1
        assert (level == 90).all()


def test_a_tile_is_a_whole_level_unless_told():
    assert Tile(1).window((192, 256)) == (0, 192, 0, 256)
