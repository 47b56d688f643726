"""The loop of the camera program: read a frame, show its digits, do what the user asks for."""

import collections
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digits_tf.annotators import Overlay
from digits_tf.camera import recording
from digits_tf.camera.display import Action, Display, FrameResult, StatusLine
from digits_tf.camera.recording import Recording
from digits_tf.camera.smoother import Smoother
from digits_tf.camera.sources import Frame, Source
from digits_tf.camera.watchdog import Watchdog
from digits_tf.errors import DigitsError, describe
from digits_tf.recognition import Recognizer
from digits_tf.runtime import counted

_FPS_FRAMES = 30
# The longest time until a key, the end or a lost camera is noticed.
_SLICE_S = 0.02
# Without a frame for this long, the display says so.
_NO_FRAME_S = 1.0
_LIVE_FPS, _STILL_FPS = 30.0, 1.0


class FpsMeter:
    """The mean rate over the last frames.

    Args:
        frames: over how many; fewer follow changes faster and vary more.
    """

    def __init__(self, frames: int = _FPS_FRAMES):
        # n frames lie between n + 1 instants.
        self._times: collections.deque[float] = collections.deque(maxlen=frames + 1)

    def tick(self, now: float) -> float:
        """Counts a frame.

        Args:
            now: seconds of a clock that never goes back.

        Returns:
            Frames per second; 0.0 until there are two frames.
        """
        self._times.append(now)
        elapsed = now - self._times[0]
        return (len(self._times) - 1) / elapsed if elapsed > 0 else 0.0


class Loop:
    """Reads the frames of a source and shows the digits in them.

    Args:
        source: where frames come from.
        recognizer: reads them.
        display: shows the results.
        status: takes messages for the user.
        smoother: smooths the readings of a stream; single pictures are not smoothed.
        overlay: draws, for a window or a recording.
        paced: whether to keep to the source's rate; if not, frames are read as fast as possible.
        watchdog: is pinged at each frame.
        listener: is given the result of each frame, once; it returns at once.
    """

    def __init__(
        self,
        source: Source,
        recognizer: Recognizer,
        display: Display,
        status: StatusLine,
        smoother: Smoother,
        overlay: Overlay,
        paced: bool = True,
        watchdog: Watchdog | None = None,
        listener: Callable[[FrameResult], None] | None = None,
    ):
        self._source, self._recognizer, self._display = source, recognizer, display
        self._status, self._overlay, self._paced = status, overlay, paced
        self._smoother = None if source.still else smoother
        self._watchdog, self._listener = watchdog, listener
        self._recording: Recording | None = None
        self._meter = FpsMeter()
        self._count = 0
        self._start = self._end = time.monotonic()
        self._draw_ms = 0.0
        self._totals: dict[str, float] = collections.defaultdict(float)
        self._paused = self._no_frame = False
        self._shown: tuple[FrameResult, NDArray[np.uint8] | None] | None = None

    def record(self, path: Path) -> None:
        """Starts a recording.

        Raises:
            OSError: if it cannot be written there.
        """
        fps = self._source.fps or (_STILL_FPS if self._source.still else _LIVE_FPS)
        self._recording = Recording(path, fps, self._source.live)

    def run(self, frames: int | None = None, seconds: float | None = None) -> None:
        """Runs until the source ends, the user quits, or a limit is reached.

        Args:
            frames: the greatest number of frames, counted over all runs.
            seconds: the longest time.

        Raises:
            DigitsError: if the source or the recording fails.
        """
        self._start = self._end = due = time.monotonic()
        end = self._start + seconds if seconds is not None else float("inf")
        while self._count != frames and time.monotonic() < end:
            start = time.perf_counter()
            frame = self._source.read(_SLICE_S)
            if frame:
                frame = frame.rotated(self._source.rotate)
            capture_ms = 1000 * (time.perf_counter() - start)
            if frame is None:
                if self._source.ended or self._wait(0.0, end):
                    return
                self._check_for_frames()
                continue
            if self._source.fps and self._paced:
                if self._wait(due, end):
                    return
                # After a delay the rate continues from now, without a rush to catch up.
                due = max(due + 1 / self._source.fps, time.monotonic())
            self._read(frame, capture_ms)
            self._paused = self._source.still and self._display.draws
            if self._wait(0.0, end):
                return

    def close(self) -> None:
        """Ends a recording and prints a summary; may be called twice.

        Raises:
            DigitsError: if the recording cannot be played.
        """
        self._end_recording()
        if self._count:
            self._status.notify(self._summary())
            self._count = 0

    def _read(self, frame: Frame, capture_ms: float) -> None:
        digits = self._recognizer.read(frame.picture, live=not self._source.still)
        if self._smoother:
            digits = self._smoother.update(digits, frame.seconds)
        self._end = time.monotonic()
        times = {"capture": capture_ms, **self._recognizer.milliseconds}
        draws = self._display.draws or self._recording is not None
        if draws and self._draw_ms:
            # Of the frame before: this frame's time is not known while it is drawn.
            times["draw"] = self._draw_ms
        fps = 0.0 if self._source.still else self._meter.tick(self._end)
        result = FrameResult(frame, self._count, digits, fps, times)
        self._count += 1
        for name, value in times.items():
            self._totals[name] += value
        if self._listener:
            self._listener(result)
        start = time.perf_counter()
        picture = self._overlay.draw(frame.picture, digits, frame.colour) if draws else None
        if self._recording and picture is not None:
            self._recording.write(picture, time.monotonic())
        self._shown, self._no_frame = (result, picture), False
        self._show()
        self._draw_ms = 1000 * (time.perf_counter() - start)
        if self._watchdog:
            self._watchdog.ping(self._end)

    def _check_for_frames(self) -> None:
        """Marks the picture on display if no new frames come."""
        silent = time.monotonic() - self._end > _NO_FRAME_S
        if self._display.draws and not self._no_frame and silent:
            self._no_frame = True
            self._show()

    def _show(self) -> None:
        if self._shown:
            words = ["PAUSED"] if self._paused and not self._source.still else []
            if self._no_frame:
                words.append("NO PICTURE")
            if self._recording:
                minutes, seconds = divmod(int(self._recording.seconds), 60)
                words.append(f"REC {minutes}:{seconds:02}")
            self._display.badge = "  ".join(words)
            self._display.show(*self._shown)

    def _wait(self, until: float, end: float) -> bool:
        """Waits for a time, or while paused, and does what the user asks for.

        Args:
            until: when to go on, unless paused.
            end: when to go on in any case.

        Returns:
            Whether to quit.
        """
        while True:
            now = time.monotonic()
            if self._recording:
                self._recording.repeat(now)
            left = max(until - now, _SLICE_S if self._paused else 0.0)
            action = self._display.wait(min(left, _SLICE_S, max(0.0, end - now)))
            if action is Action.QUIT:
                return True
            if action:
                self._do(action)
            now = time.monotonic()
            if now >= end or (now >= until and not self._paused):
                return False

    def _do(self, action: Action) -> None:
        try:
            if self._source.still and action in (Action.PAUSE, Action.NEXT):
                self._paused = False
            elif action is Action.PAUSE:
                self._paused = not self._paused
            elif action is Action.SWITCH_CAMERA:
                self._source.switch()
                self._paused = False
            elif action is Action.SAVE and self._shown:
                path = recording.save(self._shown[0], Path())
                self._status.notify(f"saved {path} and {path.with_suffix('.json').name}")
            elif action is Action.RECORD and self._recording:
                self._end_recording()
            elif action is Action.RECORD:
                self.record(recording.unused_path(Path(), recording.SUFFIX))
        except DigitsError as error:
            self._status.notify(str(error))
        except OSError as error:
            self._status.notify(describe(error))
        self._show()

    def _end_recording(self) -> None:
        if self._recording:
            ended, self._recording = self._recording, None
            self._status.notify(ended.close())

    def _summary(self) -> str:
        elapsed = self._end - self._start
        summary = f"{counted(self._count, 'frame')} in {elapsed:.1f} s"
        if elapsed > 0 and not self._source.still:
            summary += f", {self._count / elapsed:.1f} FPS"
        means = [f"{name} {total / self._count:.2f}" for name, total in self._totals.items()]
        return f"{summary}; ms a frame: {', '.join(means)}"
