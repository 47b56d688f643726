"""The server: the page, the JSON interface and the live view."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
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


def make_app(
    recognizer: Recognizer,
    names: Iterable[str],
    token: str | None = None,
    live: Callable[[Broadcast], Callable[[], None]] | None = None,
    source: str | None = None,
) -> Starlette:
    """Makes the application, for any ASGI server.

    Args:
        recognizer: reads the pictures that are sent; used by nobody else.
        names: host names of this server, see `Guard`.
        token: what requests must bring; None: nothing.
        live: makes what runs the live view on a display, in a thread; None: there is no live view.
        source: what the live view shows, for people.
    """
    reader = Reader(recognizer)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        broadcast = Broadcast(asyncio.get_running_loop())
        app.state.broadcast, app.state.thread = broadcast, None
        if live:
            app.state.thread = Thread(live(broadcast))
            app.state.thread.start()
        try:
            yield
        finally:
            broadcast.end()
            reader.close()
            if app.state.thread:
                await asyncio.to_thread(app.state.thread.join, 5.0)

    async def page(request: Request) -> Response:
        return FileResponse(str(_STATIC / "index.html"))

    async def api_page(request: Request) -> Response:
        return FileResponse(str(_STATIC / "api.html"))

    async def openapi(request: Request) -> Response:
        return JSONResponse(DESCRIPTION | {"info": DESCRIPTION["info"] | {"version": __version__}})

    async def health(request: Request) -> Response:
        broadcast, thread = request.app.state.broadcast, request.app.state.thread
        state: dict[str, Any] = {"status": "ok", "version": __version__, "source": source}
        if thread:
            state |= {"viewers": broadcast.viewers, "live": thread.is_alive()}
            if thread.failure:
                state["error"] = thread.failure
        return JSONResponse(state)

    async def read(request: Request) -> Response:
        return JSONResponse(await reader.read(request, crops="crops" in request.query_params))

    def watched(request: Request) -> Broadcast:
        broadcast, thread = request.app.state.broadcast, request.app.state.thread
        if not thread:
            raise HTTPException(404, "no live view: start the server with --source")
        if not thread.is_alive():
            raise HTTPException(410, thread.failure or "the source has ended")
        if broadcast.viewers >= _MOST_VIEWERS:
            raise HTTPException(503, f"{_MOST_VIEWERS} viewers watch already", {"retry-after": "5"})
        return broadcast

    async def events(request: Request) -> Response:
        return _Endless(_events(watched(request)), media_type="text/event-stream")

    async def video(request: Request) -> Response:
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        return _Endless(_video(watched(request)), media_type=kind)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/docs", api_page),
            Route("/openapi.json", openapi),
            Route("/health", health),
            Route("/read", read, methods=["POST"]),
            Route("/events", events),
            Route("/video", video),
            Mount("/static", StaticFiles(directory=str(_STATIC))),
        ],
        middleware=[Middleware(Guard, names=names, token=token)],
        exception_handlers={HTTPException: _error, Exception: _broken},
        lifespan=lifespan,
    )


async def _error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"Expected an HTTPException. Received: {error!r}")
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "something went wrong in the server: see its output"}, 500)


async def _events(broadcast: Broadcast) -> AsyncIterator[bytes]:
    """Readings as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    async for view in broadcast.views():
        yield f"data: {json.dumps(view[1])}\n\n".encode() if view else b": still here\n\n"


async def _video(broadcast: Broadcast) -> AsyncIterator[bytes]:
    """Frames as motion JPEG, which every browser shows as a picture."""
    newest = b""
    async for view in broadcast.views():
        # Between two frames a browser shows none; so the last one is sent again.
        newest = view[0] if view else newest
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
