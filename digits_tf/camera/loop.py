"""Frames per second."""

import collections
import time
from pathlib import Path

import numpy as np

from digits_tf.annotators import Overlay
from digits_tf.camera import recording as snapshot
from digits_tf.camera.display import Display, Notices, View, Wish
from digits_tf.camera.recording import SUFFIX, Recording
from digits_tf.camera.smoother import Steadier
from digits_tf.camera.sources import Frame, Source
from digits_tf.camera.watchdog import Watchdog
from digits_tf.errors import DigitsError, describe
from digits_tf.recognition import Recognizer

_WINDOW_FRAMES = 30


class FpsMeter:
    """The mean rate over the last frames.

    Args:
        window: over how many frames; fewer follow changes faster and jump more.
    """

    def __init__(self, window: int = _WINDOW_FRAMES):
        # n frames lie between n + 1 instants.
        self._times: collections.deque[float] = collections.deque(maxlen=window + 1)

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


# How long it may take until a key, the end or a lost camera is noticed.
_SLICE_S = 0.02
_SILENCE_S = 1.0
_LIVE_FPS, _STILL_FPS = 30.0, 1.0


class Loop:
    """Reads the frames of a source and shows what it reads.

    Args:
        source: where frames come from.
        recognizer: reads them.
        display: shows the readings.
        notices: takes what else the user is told.
        steadier: steadies the readings of a stream; pictures are never steadied.
        overlay: draws, for a window or a recording.
        paced: whether a source with a rate of its own is held to it; if not, it runs as fast as it
            can.
        watchdog: is told of each frame that was read.
    """

    def __init__(
        self,
        source: Source,
        recognizer: Recognizer,
        display: Display,
        notices: Notices,
        steadier: Steadier,
        overlay: Overlay,
        paced: bool = True,
        watchdog: Watchdog | None = None,
    ):
        self._source, self._recognizer, self._display = source, recognizer, display
        self._notices, self._overlay, self._paced = notices, overlay, paced
        self._steadier = None if source.still else steadier
        self._watchdog = watchdog
        self._recording: Recording | None = None
        self._meter = FpsMeter()
        self._count = 0
        self._start = self._end = time.monotonic()
        self._draw_ms = 0.0
        self._totals: dict[str, float] = collections.defaultdict(float)
        self._held = self._silent = False
        self._shown: tuple[View, np.ndarray | None] | None = None

    def record(self, path: Path) -> None:
        """Begins a recording.

        Raises:
            OSError: if it cannot be written there.
        """
        fps = self._source.fps or (_STILL_FPS if self._source.still else _LIVE_FPS)
        self._recording = Recording(path, fps, self._source.live)

    def run(self, frames: int | None = None, seconds: float | None = None) -> None:
        """Runs until the source or the user ends it, or until a limit is reached.

        Args:
            frames: the greatest number of frames.
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
                frame = frame.turned(self._source.rotate)
            capture_ms = 1000 * (time.perf_counter() - start)
            if frame is None:
                if self._source.ended or self._attend(0.0, end):
                    return
                self._notice_silence()
                continue
            if self._source.fps and self._paced:
                if self._attend(due, end):
                    return
                # After a delay the rate goes on from here: no rush to catch up.
                due = max(due + 1 / self._source.fps, time.monotonic())
            self._read(frame, capture_ms)
            self._held = self._source.still and self._display.draws
            if self._attend(0.0, end):
                return

    def close(self) -> None:
        """Ends a recording and says what was done; may be called twice.

        Raises:
            DigitsError: if the recording cannot be played.
        """
        if self._recording:
            recording, self._recording = self._recording, None
            self._notices.tell(recording.close())
        if self._count:
            self._notices.tell(self._summary())
            self._count = 0

    def _read(self, frame: Frame, capture_ms: float) -> None:
        digits = self._recognizer.read(frame.picture, live=not self._source.still)
        if self._steadier:
            digits = self._steadier.update(digits, frame.seconds)
        self._end = time.monotonic()
        times = {"capture": capture_ms, **self._recognizer.milliseconds}
        drawn = self._display.draws or self._recording is not None
        if drawn and self._draw_ms:
            # Of the frame before: this one's is not known while it is drawn.
            times["draw"] = self._draw_ms
        fps = 0.0 if self._source.still else self._meter.tick(self._end)
        view = View(frame, self._count, digits, fps, times)
        self._count += 1
        for name, value in times.items():
            self._totals[name] += value
        start = time.perf_counter()
        picture = self._overlay.draw(frame.picture, digits, frame.colour) if drawn else None
        if self._recording and picture is not None:
            self._recording.write(picture, time.monotonic())
        self._shown, self._silent = (view, picture), False
        self._show()
        self._draw_ms = 1000 * (time.perf_counter() - start)
        if self._watchdog:
            self._watchdog.ping(self._end)

    def _notice_silence(self) -> None:
        """Marks a frame that stands because no new one comes."""
        if self._display.draws and not self._silent and time.monotonic() - self._end > _SILENCE_S:
            self._silent = True
            self._show()

    def _show(self) -> None:
        if self._shown:
            words = ["HELD"] if self._held and not self._source.still else []
            if self._silent:
                words.append("NO PICTURE")
            if self._recording:
                minutes, seconds = divmod(int(self._recording.seconds), 60)
                words.append(f"REC {minutes}:{seconds:02}")
            self._display.badge = "  ".join(words)
            self._display.show(*self._shown)

    def _attend(self, until: float, end: float) -> bool:
        """Listens to the user until a time, or as long as the frame is held; whether to end."""
        while True:
            now = time.monotonic()
            if self._recording:
                self._recording.repeat(now)
            left = max(until - now, _SLICE_S if self._held else 0.0)
            wish = self._display.wait(min(left, _SLICE_S, max(0.0, end - now)))
            if wish is Wish.END:
                return True
            if wish:
                self._grant(wish)
            now = time.monotonic()
            if now >= end or (now >= until and not self._held):
                return False

    def _grant(self, wish: Wish) -> None:
        try:
            if self._source.still and wish in (Wish.HOLD, Wish.NEXT):
                self._held = False
            elif wish is Wish.HOLD:
                self._held = not self._held
            elif wish is Wish.CAMERA:
                self._source.switch()
                self._held = False
            elif wish is Wish.SAVE and self._shown:
                path = snapshot.save(self._shown[0], Path())
                self._notices.tell(f"saved {path} and {path.with_suffix('.json').name}")
            elif wish is Wish.RECORD and self._recording:
                recording, self._recording = self._recording, None
                self._notices.tell(recording.close())
            elif wish is Wish.RECORD:
                self.record(snapshot.unused_path(Path(), SUFFIX))
        except DigitsError as error:
            self._notices.tell(str(error))
        except OSError as error:
            self._notices.tell(describe(error))
        self._show()

    def _summary(self) -> str:
        elapsed = self._end - self._start
        text = f"{self._count} frame{'s' if self._count != 1 else ''} in {elapsed:.1f} s"
        if elapsed > 0 and not self._source.still:
            text += f", {self._count / elapsed:.1f} FPS"
        means = [f"{name} {total / self._count:.2f}" for name, total in self._totals.items()]
        return f"{text}; ms a frame: {', '.join(means)}"
