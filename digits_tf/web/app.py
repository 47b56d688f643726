"""The server: the page, the JSON interface and the live view."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Send

from digits_tf import __version__
from digits_tf.data.collection import Collection
from digits_tf.recognition import Recognizer
from digits_tf.web.guard import Guard
from digits_tf.web.live import Broadcast, Thread
from digits_tf.web.openapi import DESCRIPTION
from digits_tf.web.reader import Reader

_STATIC = resources.files("digits_tf.web") / "static"
_MOST_VIEWERS = 64
# A viewer whose connection takes nothing for so long has gone.
_GONE_S = 20.0
_BOUNDARY = "frame"
_END_S = 5.0  # until the live view is left to itself at the end


def make_app(
    recognizer: Recognizer,
    names: Iterable[str],
    token: str | None = None,
    live: Callable[[Broadcast], Callable[[], None]] | None = None,
    source: str | None = None,
    collection: Collection | None = None,
) -> Starlette:
    """Makes the application, for any ASGI server.

    Args:
        recognizer: reads the pictures that are sent; used by nobody else.
        names: host names of this server, see `Guard`.
        token: what requests must bring; None: nothing.
        live: makes what runs the live view on a display, in a thread; None: there is no live view.
        source: what the live view shows, for people.
        collection: takes what readings are put right to; None: they cannot be put right.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        broadcast = Broadcast(asyncio.get_running_loop())
        thread = Thread(live(broadcast), broadcast) if live else None
        app.state.reader, app.state.source = Reader(recognizer, collection), source
        app.state.broadcast, app.state.thread = broadcast, thread
        if thread:
            thread.start()
        try:
            yield
        finally:
            broadcast.end()
            app.state.reader.close()
            if thread:
                await asyncio.to_thread(thread.join, _END_S)

    return Starlette(
        routes=[
            Route("/", _page("index.html")),
            Route("/docs", _page("api.html")),
            Route("/openapi.json", _openapi),
            Route("/health", _health),
            Route("/read", _read, methods=["POST"]),
            Route("/teach", _teach, methods=["POST", "DELETE"]),
            Route("/events", _events),
            Route("/video", _video),
            Mount("/static", StaticFiles(directory=str(_STATIC))),
        ],
        middleware=[Middleware(Guard, names=names, token=token)],
        exception_handlers={HTTPException: _error, Exception: _broken},
        lifespan=lifespan,
    )


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return FileResponse(str(_STATIC / name))

    return page


async def _openapi(request: Request) -> Response:
    return JSONResponse(DESCRIPTION | {"info": DESCRIPTION["info"] | {"version": __version__}})


async def _health(request: Request) -> Response:
    state = request.app.state
    answer: dict[str, Any] = {"status": "ok", "version": __version__, "source": state.source}
    if state.thread:
        answer |= {"viewers": state.broadcast.viewers, "live": state.thread.is_alive()}
        if state.thread.failure:
            answer["error"] = state.thread.failure
    return JSONResponse(answer)


async def _read(request: Request) -> Response:
    reader: Reader = request.app.state.reader
    return JSONResponse(await reader.read(request, crops="crops" in request.query_params))


async def _teach(request: Request) -> Response:
    reader: Reader = request.app.state.reader
    is_new = request.method == "POST"
    return JSONResponse(await (reader.teach(request) if is_new else reader.undo()))


async def _events(request: Request) -> Response:
    crops = "crops" in request.query_params
    return _Endless(_as_events(_watched(request), crops), media_type="text/event-stream")


async def _video(request: Request) -> Response:
    kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
    return _Endless(_as_jpegs(_watched(request)), media_type=kind)


def _watched(request: Request) -> Broadcast:
    """The live view, if it runs and has room for a viewer."""
    broadcast: Broadcast = request.app.state.broadcast
    thread: Thread | None = request.app.state.thread
    if not thread:
        raise HTTPException(404, "no live view: start the server with --source")
    if not thread.is_alive():
        raise HTTPException(410, thread.failure or "the source has ended")
    if broadcast.viewers >= _MOST_VIEWERS:
        raise HTTPException(503, f"{_MOST_VIEWERS} viewers watch already", {"retry-after": "5"})
    return broadcast


async def _error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"Expected an HTTPException. Received: {error!r}")
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "something went wrong in the server: see its output"}, 500)


async def _as_events(broadcast: Broadcast, crops: bool) -> AsyncIterator[bytes]:
    """Readings as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    async for view in broadcast.views():
        reading = view and (view.reading_with_crops if crops else view.reading)
        yield f"data: {json.dumps(reading)}\n\n".encode() if view else b": still here\n\n"


async def _as_jpegs(broadcast: Broadcast) -> AsyncIterator[bytes]:
    """Frames as motion JPEG, which every browser shows as a picture."""
    newest = b""
    async for view in broadcast.views():
        # Between two frames a browser shows none; so the last one is sent again.
        newest = view.jpeg if view else newest
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(newest)}\r\n\r\n"
        yield head.encode() + newest + b"\r\n"


class _Endless(StreamingResponse):
    """An answer without an end, which leaves a viewer that takes nothing any more."""

    async def stream_response(self, send: Send) -> None:
        """Sends part by part; see `StreamingResponse`."""
        headers = [*self.raw_headers, (b"cache-control", b"no-store")]
        start = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        await send(start)
        with contextlib.suppress(TimeoutError):
            async with contextlib.aclosing(self.body_iterator) as parts:  # type: ignore[type-var]
                async for part in parts:
                    message = {"type": "http.response.body", "body": part, "more_body": True}
                    await asyncio.wait_for(send(message), _GONE_S)
        with contextlib.suppress(TimeoutError, OSError):
            last = {"type": "http.response.body", "body": b"", "more_body": False}
            await asyncio.wait_for(send(last), 1.0)
