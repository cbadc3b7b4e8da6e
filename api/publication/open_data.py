"""The addresses of open data: permanent, open to all, and read from editions only. It decides nothing.

    /open-data/ratings.csv, codes.csv, scale.csv        every period's edition that holds, in one table
    /open-data/datapackage.json, dcat.jsonld, dcat.ttl, register.csv
    /open-data/editions/2026-11/1/ratings.csv ...       the same of one edition, for ever
    /v1/open-data/editions                              the list; /2026-11 the one that holds; /2026-11/1 for ever

Every answer has an ETag of its bytes; whoever sends it back is told that nothing changed (RFC 9110, 13.1.2). Other
sites' pages may read them.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.auth import open_to_all
from api.errors import NoSuchThing
from api.parts import Parts, parts_of
from api.publication import formats
from api.publication.contents import days_of, kind_of
from api.publication.formats import Publisher
from api.publication.rdf import json_ld, turtle
from collector.store import Edition, NotThere, Store
from schemas.edition_resources import EditionContent, EditionHead, EditionList

router = APIRouter()
CSV, JSON, TURTLE, LD = (
    "text/csv; charset=utf-8",
    "application/json",
    "text/turtle; charset=utf-8",
    "application/ld+json",
)
FOR_EVER, SHORTLY = "public, max-age=31536000, immutable", "public, max-age=300"
PERIOD = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$"
PeriodName = Annotated[str, Path(pattern=PERIOD, examples=["2026-11", "2026-Q4", "2026"])]
Number = Annotated[int, Path(ge=1, le=9999)]
Made = tuple[bytes, str]  # bytes and media type


# ---- the api
def editions(request: Request) -> Response:
    """Every edition there is, the newest first; also those that a correction has taken the place of."""
    heads = list(reversed(heads_of(parts_of(request).store, publisher_of(request).address)))
    body = EditionList(editions=heads).model_dump_json(by_alias=True).encode()
    return answered(request, (body, JSON), SHORTLY)


def edition_that_holds(request: Request, period: PeriodName) -> Response:
    """The edition of a period that holds."""
    store = parts_of(request).store
    numbers = [each.number for each in store.editions.all() if each.period == period]
    if not numbers:
        raise NoSuchThing(f"Nothing is published of {period}.")
    body = _content(store, period, max(numbers))
    response = answered(request, (body, JSON), SHORTLY)
    response.headers["Content-Location"] = f"/v1/open-data/editions/{period}/{max(numbers)}"
    return response


def one_edition(request: Request, period: PeriodName, edition: Number) -> Response:
    """One edition, byte by byte as it was published: its SHA-256 stands in the list."""
    return answered(request, (_content(parts_of(request).store, period, edition), JSON), FOR_EVER)


# ---- files
def file_of_all(request: Request, file: str) -> Response:
    """A file about all periods."""
    made = _FILES.get(file)
    if made is None:
        raise NoSuchThing(f"There is no file {file}.")
    return answered(request, made(publisher_of(request), holding(parts_of(request).store)), SHORTLY)


def file_of_edition(request: Request, period: PeriodName, edition: Number, file: str) -> Response:
    """A file about one edition."""
    made = _FILES.get(file)
    if made is None or file not in _OF_EDITIONS:
        raise NoSuchThing(f"There is no file {file}.")
    content = EditionContent.model_validate_json(_content(parts_of(request).store, period, edition))
    return answered(request, made(publisher_of(request), [content]), SHORTLY)


# ---- what the pages share
def heads_of(store: Store, address: str) -> list[EditionHead]:
    """The editions in the order in which they were made."""
    every = store.editions.all()
    newest = {each.period: each.number for each in sorted(every, key=lambda each: each.number)}
    return [_head(each, address, holds=newest[each.period] == each.number) for each in every]


def holding(store: Store) -> list[EditionContent]:
    """The content of every period's edition that holds, the earliest period first, months before what they make up."""
    newest = {each.period: each.number for each in sorted(store.editions.all(), key=lambda each: each.number)}
    ordered = sorted(newest, key=lambda period: (days_of(period)[1], days_of(period)[0], period))
    return [EditionContent.model_validate_json(_content(store, period, newest[period])) for period in ordered]


def publisher_of(request: Request) -> Publisher:
    parts: Parts = parts_of(request)
    settings, organisation = parts.settings, parts.store.register().organisation
    return Publisher(
        address=(settings.public_url or str(request.base_url)).rstrip("/"),
        name=organisation.name,
        name_en=organisation.name_en,
        identifier=settings.publisher_identifier,
        contact_name=settings.contact_name,
        contact_email=settings.contact_email,
    )


def answered(request: Request, made: Made, cache: str) -> Response:
    """The bytes with their ETag, or that they have not changed."""
    body, media = made
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": cache,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(body))}, media_type=media)
    return Response(body, headers=headers, media_type=media)


def _head(each: Edition, address: str, *, holds: bool) -> EditionHead:
    first, last = days_of(each.period)
    return EditionHead.model_validate(
        {
            "period": each.period,
            "kind": kind_of(each.period),
            "first": first,
            "last": last,
            "number": each.number,
            "reason": each.reason,
            "published_at": each.made_unix_ms / 1000,
            "holds": holds,
            "sha256": each.digest,
            "json_address": f"{address}/v1/open-data/editions/{each.period}/{each.number}",
            "csv_address": f"{address}/open-data/editions/{each.period}/{each.number}/ratings.csv",
        }
    )


def _content(store: Store, period: str, number: int) -> bytes:
    try:
        return store.editions.content(period, number)[1]
    except NotThere as error:
        raise NoSuchThing(f"{error}.".replace("there", "There", 1)) from None


def _package(publisher: Publisher, contents: Sequence[EditionContent]) -> Made:
    only = f"-{contents[0].period.lower()}-{contents[0].number}" if len(contents) == 1 else ""
    return formats.data_package(publisher, contents, name=f"ratings{only}"), JSON


_FILES: dict[str, Callable[[Publisher, Sequence[EditionContent]], Made]] = {
    "ratings.csv": lambda publisher, contents: (formats.ratings_csv(contents), CSV),
    "codes.csv": lambda publisher, contents: (formats.codes_csv(), CSV),
    "scale.csv": lambda publisher, contents: (formats.scale_csv(), CSV),
    "datapackage.json": _package,
    "dcat.jsonld": lambda publisher, contents: (json_ld(formats.catalogue(publisher, contents)), LD),
    "dcat.ttl": lambda publisher, contents: (turtle(formats.catalogue(publisher, contents)), TURTLE),
    "register.csv": lambda publisher, contents: (formats.portal_csv(publisher), CSV),
}
_OF_EDITIONS = ("ratings.csv", "codes.csv", "scale.csv", "datapackage.json")
FILES = tuple(_FILES)

_TO_ALL = [open_to_all]
for _path, _answer, _model in (
    ("/v1/open-data/editions", editions, EditionList),
    ("/v1/open-data/editions/{period}", edition_that_holds, EditionContent),
    ("/v1/open-data/editions/{period}/{edition}", one_edition, EditionContent),
    ("/open-data/{file}", file_of_all, None),
    ("/open-data/editions/{period}/{edition}/{file}", file_of_edition, None),
):
    _shown = _path.startswith("/v1")
    router.add_api_route(
        _path, _answer, methods=["GET"], dependencies=_TO_ALL, response_model=_model, include_in_schema=_shown
    )
    router.add_api_route(_path, _answer, methods=["HEAD"], dependencies=_TO_ALL, include_in_schema=False)
