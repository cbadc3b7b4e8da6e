"""Reads the body of a form or of a small JSON object. Nothing larger than a few kilobytes is taken in."""

from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect

from api.errors import BadRequestBody

BODY_BYTES = 4096
FORM = "application/x-www-form-urlencoded"


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip() == FORM


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name; none where there is no body. Raises BadRequestBody."""
    body = await _body(request)
    if body and not is_form(request):
        raise BadRequestBody("It is not a form.")
    return _form(body)


async def any_fields(request: Request) -> dict[str, Any]:
    """The fields of a form or of a JSON object. Raises BadRequestBody."""
    body = await _body(request)
    if is_form(request):
        return dict(_form(body))
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequestBody("It is neither a form nor JSON.") from None
    if not isinstance(fields, dict):
        raise BadRequestBody("It is not a JSON object.")
    return fields


def _form(body: bytes) -> dict[str, str]:
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    except ValueError:
        raise BadRequestBody("It has too many fields.") from None


async def _body(request: Request) -> bytes:
    return await read_body(request, BODY_BYTES)


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body. Raises BadRequestBody if it is longer."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most_bytes:
                raise BadRequestBody(f"It is longer than {most_bytes} bytes.")
    except ClientDisconnect:
        raise BadRequestBody("It ends too early.") from None
    return bytes(body)
