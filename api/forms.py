"""Reads the body of a form or of a small JSON object. Nothing larger than a few kilobytes is taken in."""

from email.parser import BytesParser
from email.policy import HTTP
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


async def form_lists(request: Request) -> dict[str, str]:
    """As ``form_fields``, but what has one name several times, boxes that are ticked, comes with spaces between."""
    body = await _body(request)
    if body and not is_form(request):
        raise BadRequestBody("It is not a form.")
    try:
        return {name: " ".join(values) for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    except ValueError:
        raise BadRequestBody("It has too many fields.") from None


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


async def uploaded_files(request: Request, most_bytes: int) -> dict[str, bytes]:
    """The files of a form sent as multipart/form-data (RFC 7578), by their names. Raises BadRequestBody."""
    body = await read_body(request, most_bytes)
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise BadRequestBody("It is not a form with files.")
    parts = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    found: dict[str, bytes] = {}
    for part in parts.iter_parts() if parts.is_multipart() else ():
        name, content = part.get_filename(), part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            found[name] = content
    return found


async def large_form_fields(request: Request, most_bytes: int) -> dict[str, str]:
    """As ``form_fields``, for a form that carries an archive back."""
    return _form(await read_body(request, most_bytes))
