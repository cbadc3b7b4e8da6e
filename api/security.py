"""What every answer carries for the browser's sake, and the count of answers. It keeps nobody out."""

from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry import Telemetry

HEADERS = {
    # Nothing from other hosts, no inline scripts, no frames around us.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers then send "Origin: null" with our own forms (Fetch standard, "append a request Origin
    # header"), and the check against other sites' forms would have nothing to go by. Other hosts learn as little.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
STATIC = "/static/"
A_YEAR_S = 365 * 24 * 3600


class Envelope:
    """Pure ASGI, around everything: a response class of a framework would buffer the live streams."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry):
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = perf_counter()

        async def send_wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                _put_headers(MutableHeaders(scope=message), scope["path"], is_https=scope["scheme"] == "https")
                self._telemetry.answered(scope, message["status"], perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, send_wrapped)


def _put_headers(headers: MutableHeaders, path: str, *, is_https: bool) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if is_https:  # whoever came by https once never sends a cookie or password without it (RFC 6797)
        headers.setdefault("Strict-Transport-Security", f"max-age={A_YEAR_S}")
    # Figures and pages are for one reader at one moment; files are asked for again and mostly answered "not modified".
    headers.setdefault("Cache-Control", "no-cache" if path.startswith(STATIC) else "no-store")
