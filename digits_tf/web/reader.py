"""Reads pictures that are sent, without letting anyone hold up the others."""

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from digits_tf.data.collection import Collection, label_of, name_of
from digits_tf.data.digits import bright_on_dark
from digits_tf.data.idx import IMAGE_SHAPE
from digits_tf.errors import DigitsError, describe
from digits_tf.images import decode_picture
from digits_tf.recognition import Recognizer
from digits_tf.recognition.digit import reading_as_json
from digits_tf.web.live import with_crops

MOST_BYTES = 20 << 20  # of one picture: a 12-megapixel PNG
_MOST_PIXELS = 50_000_000
_MOST_BYTES_IN_ALL = 128 << 20
_BODY_S, _READ_S = 20.0, 20.0
_MOST_WAITING = 128
_CROP_PIXELS = 28 * 28
_MOST_CROP_BYTES = 64 << 10


class Reader:
    """Reads one picture after the other in a thread of its own.

    Args:
        recognizer: used by nobody else.
        collection: takes what readings are put right to; None: they cannot be put right.
    """

    def __init__(self, recognizer: Recognizer, collection: Collection | None = None):
        self._recognizer, self._collection = recognizer, collection
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
                picture, 503 if too many others wait or the server ends.
        """
        async with self._body(request, MOST_BYTES) as content:
            return await self._in_thread(self._read, content, crops)

    async def teach(self, request: Request) -> dict[str, Any]:
        """Keeps the crop that is a request's body as what its `?label=` says: 0 to 9, or x.

        Returns:
            "label", "kept" (false if it was there already), "count" of pictures in the collection.

        Raises:
            HTTPException: as `read`; 404 if nothing is collected.
        """
        label = label_of(request.query_params.get("label", ""))
        if label is None:
            raise HTTPException(422, "expected ?label= 0 to 9, or x for no digit")
        async with self._body(request, _MOST_CROP_BYTES) as content:
            return await self._in_thread(self._teach, content, label)

    async def undo(self) -> dict[str, Any]:
        """Takes the newest picture out of the collection.

        Returns:
            "label" that it had (null if there was none), "count" of those that are left.

        Raises:
            HTTPException: 404 if nothing is collected.
        """
        return await self._in_thread(self._undo)

    @contextlib.asynccontextmanager
    async def _body(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """A request's body, which counts as long as the context is open."""
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
                        if held > most:
                            limit = f"{most >> 20} MB" if most >> 20 else f"{most >> 10} kB"
                            raise HTTPException(413, f"expected at most {limit}, found more")
                        if self._bytes > _MOST_BYTES_IN_ALL:
                            raise _busy()
                        parts.append(part)
            except TimeoutError:
                raise HTTPException(408, f"the picture did not arrive in {_BODY_S:g} s") from None
            except ClientDisconnect:
                raise HTTPException(400, "the picture was not sent to its end") from None
            yield b"".join(parts)
        except asyncio.CancelledError:
            # By the server, which would report each request that it breaks off at length.
            raise HTTPException(503, "the server ends") from None
        finally:
            self._waiting -= 1
            self._bytes -= held

    async def _in_thread(self, work: Callable[..., dict[str, Any]], *words: Any) -> dict[str, Any]:
        done = asyncio.get_running_loop().run_in_executor(self._thread, work, *words)
        try:
            return await asyncio.wait_for(done, _READ_S)
        except TimeoutError:
            raise _busy() from None
        except DigitsError as error:
            raise HTTPException(422, str(error)) from None
        except OSError as error:
            raise HTTPException(507, describe(error)) from None

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
            reading = with_crops(reading, digits)
        height, width = picture.shape[:2]
        return {**reading, "size": {"width": width, "height": height}}

    def _teach(self, content: bytes, label: int) -> dict[str, Any]:
        collection = self._own()
        picture = decode_picture(content, "the crop", grey=True, most_pixels=_CROP_PIXELS)
        if picture.shape != IMAGE_SHAPE:
            height, width = picture.shape
            raise DigitsError(f"the crop: expected 28x28 pixels, found {width}x{height}")
        kept = collection.add(bright_on_dark(picture), label, "the page")
        return {"label": name_of(label), "kept": kept, "count": len(collection.entries())}

    def _undo(self) -> dict[str, Any]:
        collection = self._own()
        entry = collection.undo()
        return {"label": entry.name if entry else None, "count": len(collection.entries())}

    def _own(self) -> Collection:
        if self._collection is None:
            raise HTTPException(404, "nothing is collected: start the server with --collection")
        return self._collection


def _busy() -> HTTPException:
    return HTTPException(503, "too many pictures at once: try again", {"retry-after": "1"})
