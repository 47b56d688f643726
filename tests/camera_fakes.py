"""Stand-ins for the camera's tests: no device, no model, no window."""

import threading
import time

import cv2
import numpy as np

from digits_tf.boxes import Box
from digits_tf.camera.display import Display
from digits_tf.camera.sources import Frame, Source
from digits_tf.recognition import Digit
from digits_tf.synthetic import handwriting

# Programs begin with this: a model that reads every digit as a seven.
SEVEN = """
import sys
import numpy as np
from digits_tf.cli import camera, command
from digits_tf.recognition import Classifier, Recognizer

class Seven(Classifier):
    def probabilities(self, images):
        return np.tile(np.eye(10, dtype=np.float32)[7], (len(images), 1))

Recognizer.load = lambda *arguments, **options: Recognizer(Seven())
"""


def digit(label=7, probability=0.9, box=(100, 100, 40, 60), line=0, second=None):
    """A digit as the recognizer gives it; what is left of the probability goes to `second`."""
    likely = label if label is not None else 3
    row = np.zeros(10, np.float32)
    if second is None:
        row[:] = (1 - probability) / 9
    else:
        row[second] = 1 - probability
    row[likely] = probability
    return Digit(label, probability, row, Box(*box), np.full((28, 28), 200, np.uint8), line)


class FakeRecognizer:
    """Reads what it is told: a list of digits, or a function of the frame."""

    def __init__(self, reading=()):
        self.reading, self.seen = reading, []
        self.milliseconds = {"find": 1.0, "net": 0.5}

    def read(self, frame, live=False):
        self.seen.append(frame)
        return self.reading(frame) if callable(self.reading) else list(self.reading)

    def stages(self):
        return {"grey": np.zeros((9, 16), np.uint8)}


class FakeDisplay(Display):
    """Keeps what it is shown and answers each wait with the next of the actions."""

    def __init__(self, actions=(), draws=True):
        self.results, self.pictures, self.badges = [], [], []
        self.actions, self.draws, self.closed = iter(actions), draws, False

    def show(self, view, picture):
        self.results.append(view)
        self.pictures.append(None if picture is None else picture.copy())
        self.badges.append(self.badge)

    def wait(self, seconds):
        time.sleep(min(seconds, 0.001))
        return next(self.actions, None)


class FakeFile(Source):
    """A video of flat frames, each with its number as its level."""

    description = "fake"

    def __init__(self, count=5, fps=None, still=False, shape=(48, 64, 3)):
        self.count, self.fps, self.still, self.shape, self.next = count, fps, still, shape, 0

    def read(self, timeout):
        if self.next == self.count:
            self.ended = True
            return None
        self.next += 1
        level = np.full(self.shape, self.next - 1, np.uint8)
        path = f"{self.next}.png" if self.still else ""
        return Frame(level, (self.next - 1) / (self.fps or 1), path)


class FakeCapture:
    """Stands in for cv2.VideoCapture.

    Args:
        frames: what it reads: None is a failed read, and so is all after the end; a
            threading.Event blocks until it is set; a pair is given as it is.
    """

    def __init__(self, frames=(), opened=True, fps=30.0, pause=0.0):
        self.queue, self.opened, self.fps, self.pause = list(frames), opened, fps, pause
        self.settings, self.released = {}, threading.Event()

    def isOpened(self):
        return self.opened

    def set(self, name, value):
        self.settings[name] = value
        return True

    def get(self, name):
        return self.fps if name == cv2.CAP_PROP_FPS else 0.0

    def read(self, spare=None):
        time.sleep(self.pause)
        frame = self.queue.pop(0) if self.queue else None
        if isinstance(frame, threading.Event):
            frame.wait()
            frame = None
        return frame if isinstance(frame, tuple) else (frame is not None, frame)

    def release(self):
        self.released.set()


def flat(level, height=48, width=64):
    """A frame of one grey level."""
    return np.full((height, width, 3), level, np.uint8)


def board(height=480, width=640, number=3, ground=60, chalk=240):
    """A board with a digit written on its middle, half its height."""
    picture = flat(ground, height, width)
    middle = np.array([width / 2, height / 2])
    for stroke in handwriting.write(number, np.random.default_rng(0)):
        points = np.round(stroke * height / 2 + middle).astype(np.int32)
        cv2.polylines(picture, [points], False, (chalk,) * 3, height // 25, cv2.LINE_AA)
    return picture


def write_picture(path, picture):
    """Writes a picture file, its kind by its name."""
    path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
    return path


def write_video(path, levels, codec="MJPG", fps=25.0):
    """Writes a video file of flat frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (64, 48))
    for level in levels:
        writer.write(flat(level))
    writer.release()
    return path


def read_video(path):
    """All frames of a video file, and its rate."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while True:
        good, frame = capture.read()
        if not good:
            break
        frames.append(frame)
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return frames, fps
