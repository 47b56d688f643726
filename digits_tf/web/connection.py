"""A connection that does not wait for ever for an other end that has gone."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

# Who asks for nothing, or takes nothing, for so long has gone.
GONE_S = 20.0


class Connection(H11Protocol):
    """Is cut where its other end asks for nothing, or takes nothing, for `GONE_S` seconds.

    The server by itself would keep the connection, and what it still has to send, until the other
    end closes it. A phone that has left the network never does. The server has room for so many
    connections and no more.
    """

    # With a request that does not come, and with an answer that is not taken.
    _with_request: asyncio.TimerHandle | None = None
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request; see `asyncio.Protocol`."""
        super().connection_made(transport)
        self._wait_for_request()

    def on_response_complete(self) -> None:
        """Begins to wait for the next request; see `H11Protocol`."""
        super().on_response_complete()
        self._wait_for_request()

    def pause_writing(self) -> None:
        """Begins to wait for the other end; see `asyncio.Protocol`."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """The other end has taken what waited; see `asyncio.Protocol`."""
        super().resume_writing()
        self._end_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended; see `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._end_wait()
        if self._with_request:
            self._with_request.cancel()

    def shutdown(self) -> None:
        """Ends with the server, which does not wait for what the other end does not take."""
        super().shutdown()
        if self.flow.write_paused:
            self.transport.abort()

    def _wait_for_request(self) -> None:
        if self._with_request:
            self._with_request.cancel()
        self._with_request = self.loop.call_later(GONE_S, self._look_for_request)

    def _look_for_request(self) -> None:
        # A part of a request is none, however often another part comes.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _wait(self) -> None:
        self._end_wait()
        left = self.transport.get_write_buffer_size()
        self._patience = self.loop.call_later(GONE_S, self._look, left)

    def _look(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._wait()
        else:
            self.transport.abort()

    def _end_wait(self) -> None:
        if self._patience:
            self._patience.cancel()
