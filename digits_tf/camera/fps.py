"""Frames per second."""

import collections

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
