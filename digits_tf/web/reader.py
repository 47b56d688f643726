"""Reads pictures that are sent, without letting anyone hold up the others."""

import asyncio
import base64
import concurrent.futures
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from digits_tf.errors import DigitsError
from digits_tf.images import decode_picture, import_cv2
from digits_tf.recognition import Recognizer
from digits_tf.recognition.digit import reading_as_json

MOST_BYTES = 20 << 20  # of one picture: a 12-megapixel PNG
_MOST_PIXELS = 50_000_000
_MOST_BYTES_IN_ALL = 128 << 20
_BODY_S, _READ_S = 20.0, 20.0
_MOST_WAITING = 128


class Reader:
    """Reads one picture after the other in a thread of its own.

    Args:
        recognizer: used by nobody else.
    """

    def __init__(self, recognizer: Recognizer):
        self._recognizer = recognizer
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "reader")
        self._waiting = self._bytes = 0

    async def read(self, request: Request, *, crops: bool) -> dict[str, Any]:
        """Reads the picture that is a request's body.

        Args:
            request: its body is a picture file of any kind.
            crops: whether to give each digit's crop too, as a PNG in base64.

        Returns:
            "text", "digits" and "ms", as `digits-tf predict --json` gives them, "size" (width,
            height of the picture as it was read), and with `crops` a "crop" in each digit.

        Raises:
            HTTPException: 413 for too many bytes, 408 if they take too long, 422 for what is no
                picture, 503 if too many others wait.
        """
        if self._waiting >= _MOST_WAITING:
            raise _busy()
        self._waiting += 1
        held = 0
        parts: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(_BODY_S):
                    async for part in request.stream():
                        held += len(part)
                        self._bytes += len(part)
                        if held > MOST_BYTES:
                            limit = MOST_BYTES >> 20
                            raise HTTPException(413, f"expected at most {limit} MB, found more")
                        if self._bytes > _MOST_BYTES_IN_ALL:
                            raise _busy()
                        parts.append(part)
            except TimeoutError:
                raise HTTPException(408, f"the picture did not arrive in {_BODY_S:g} s") from None
            except ClientDisconnect:
                raise HTTPException(400, "the picture was not sent to its end") from None
            events = asyncio.get_running_loop()
            done = events.run_in_executor(self._thread, self._read, b"".join(parts), crops)
            return await asyncio.wait_for(done, _READ_S)
        except TimeoutError:
            raise _busy() from None
        except DigitsError as error:
            raise HTTPException(422, str(error)) from None
        finally:
            self._waiting -= 1
            self._bytes -= held

    def close(self) -> None:
        """Reads nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _read(self, content: bytes, crops: bool) -> dict[str, Any]:
        start = time.perf_counter()
        picture = decode_picture(content, "the picture", most_pixels=_MOST_PIXELS)
        digits = self._recognizer.read(picture)
        milliseconds = 1000 * (time.perf_counter() - start)
        reading = reading_as_json(digits, milliseconds)
        if crops:
            cv2 = import_cv2()
            for row, digit in zip(reading["digits"], digits, strict=True):
                png = cv2.imencode(".png", digit.crop)[1].tobytes()
                row["crop"] = base64.b64encode(png).decode()
        height, width = picture.shape[:2]
        return {**reading, "size": {"width": width, "height": height}}


def _busy() -> HTTPException:
    return HTTPException(503, "too many pictures at once: try again", {"retry-after": "1"})
