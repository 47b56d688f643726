"""Who may talk to the server, and what a browser may do with its pages.

Against DNS rebinding and requests of other sites: https://owasp.org/www-community/attacks/csrf.
"""

import http.cookies
import ipaddress
import secrets
import socket
import urllib.parse
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "digits_tf_token"

# Nothing is loaded from elsewhere, and no other site may frame the page.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether an address to bind to is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_names() -> list[str]:
    """The names under which this machine is known in its network."""
    name = socket.gethostname().lower()
    return [name, f"{name.partition('.')[0]}.local", "localhost"]


class Guard:
    """Lets a request through if its host, its origin and its token are right.

    Args:
        app: what is guarded.
        names: host names that are this server's, lower case; addresses in numbers always are,
            because a browser that was sent to one was not sent by a name.
        token: what a request must bring as a cookie, a bearer token, or `?token=`; None: nothing.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], token: str | None = None):
        self._app, self._names, self._token = app, frozenset(names), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers in place of the app where a request is refused; see ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or self._welcome(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_own(host):
            return _error(421, f"this server is not {host[:80]!r}")
        origin = headers.get("origin")
        if origin is not None and urllib.parse.urlsplit(origin).netloc != host:
            return _error(403, "requests of other sites are not answered")
        if not self._has_token(scope, headers):
            return _error(401, "open the link with the token that the server printed")
        return None

    def _welcome(self, scope: Scope) -> Response | None:
        """Moves a right token from the address, where others may see it, into a cookie."""
        if self._token is None or "token" not in QueryParams(scope["query_string"]):
            return None
        if scope["method"] != "GET":
            return None
        answer = RedirectResponse(scope["path"], 303)
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        return answer

    def _is_own(self, host: str) -> bool:
        try:
            name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        if self._token is None:
            return True
        cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except http.cookies.CookieError:
            cookies = http.cookies.SimpleCookie()
        brought = [
            QueryParams(scope["query_string"]).get("token", ""),
            headers.get("authorization", "").removeprefix("Bearer "),
            cookies[COOKIE].value if COOKIE in cookies else "",
        ]
        wanted = self._token.encode()
        return any(secrets.compare_digest(each.encode(), wanted) for each in brought)


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)
