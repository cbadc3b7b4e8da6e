"""``/v1/reports``: what was made, making one, and its files. Reports are never changed and never taken back."""

import threading
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import JSONResponse

from api.auth import require
from api.errors import BadQuestion, NoSuchThing
from api.i18n import Language, load_languages
from api.parts import parts_of
from api.reports.making import MEDIA_TYPES, file_name, make
from api.reports.order import Order, checked, of_report, visible
from collector.store import NotThere, Report, Store, Token
from schemas.periods import Period, day_date
from schemas.report_resources import (
    ReportBody,
    ReportCut,
    ReportFileResource,
    ReportFormat,
    ReportList,
    ReportResource,
)

router = APIRouter()
_Reader = Annotated[Token, require("reports", within_limits=True)]
_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
# Each takes a second of a processor and a process of its own for its charts; who asks for more waits.
_AT_ONCE = threading.BoundedSemaphore(2)


@router.get("/v1/reports")
def read_reports(
    request: Request,
    token: _Reader,
    cut: ReportCut | None = None,
    key: Annotated[str | None, Query(max_length=40)] = None,
    period: Period | None = None,
    language: Annotated[str | None, Query(max_length=8)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> ReportList:
    """The newest first; those that the reader may not have are not in it."""
    store = parts_of(request).store
    found = store.reports.reports(cut=cut, key=key, period=period and str(period), language=language, limit=limit)
    shown = [resource(each) for each in found if visible(each, store, token)]
    return ReportList(generated_at=datetime.now(UTC), reports=shown)


@router.post("/v1/reports", status_code=201, response_model=ReportResource)
def make_report(request: Request, body: ReportBody, token: _Reader) -> Response:
    """Makes one now; takes some seconds. One about operators needs a purpose, and who ordered it (P4.3, P4.7)."""
    parts = parts_of(request)
    made = ordered(parts.store, token, order_of(body, parts.settings.default_language))
    answer = resource(made).model_dump(mode="json", by_alias=True)
    return JSONResponse(answer, 201, {"Location": f"/v1/reports/{made.id}"})


# Before the next one, whose number would take "1.pdf" for itself.
@router.get("/v1/reports/{report}.{kind}", response_class=Response)
def read_report_file(
    request: Request,
    report: _Number,
    kind: ReportFormat,
    token: _Reader,
    purpose: Annotated[str | None, Query(max_length=40, description="for a report about operators")] = None,
    order: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="the recorded instruction (P4.3)")] = None,
) -> Response:
    """A file, byte by byte as it was made; reading one about operators is written down once more."""
    store = parts_of(request).store
    found = _found(store, report, token)
    asked = checked(of_report(found, purpose, order), store, token)
    digest = next(each.digest for each in found.files if each.format == kind)
    headers = {
        "ETag": f'"{digest}"',
        # What is about people stays in no browser: the next one at the desk may be anybody.
        "Cache-Control": "private, no-store" if asked.is_about_people else "private, no-cache",
        "Content-Disposition": f'attachment; filename="{file_name(found, kind)}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(store.reports.body(report, kind), headers=headers, media_type=MEDIA_TYPES[kind])


@router.get("/v1/reports/{report}")
def read_report(request: Request, report: _Number, token: _Reader) -> ReportResource:
    """What is known of one report besides its files."""
    return resource(_found(parts_of(request).store, report, token))


def ordered(store: Store, token: Token, order: Order) -> Report:
    """Checks the order and makes the report, two at a time. Raises as ``checked`` and ``make``."""
    if order.language not in languages():
        raise BadQuestion(f"Reports are in {', '.join(languages())}.", field="language")
    may = checked(order, store, token)
    with _AT_ONCE:
        return make(store, may, languages())


def order_of(body: ReportBody, default_language: str) -> Order:
    return Order(
        cut=body.cut,
        period=body.period,
        day=body.day,
        language=body.language or default_language,
        key=body.key or "",
        ordered_by=body.ordered_by,
        instruction=body.instruction,
        purpose=body.purpose,
        order=body.order,
        participant=body.participant or "",
        shows_small=body.shows_small,
    )


def resource(report: Report) -> ReportResource:
    about = report.about
    return ReportResource(
        id=report.id,
        made_at=datetime.fromtimestamp(report.made_unix_ms / 1000, UTC),
        made_by=about.made_by,
        cut=about.cut,
        key=about.key or None,
        period=Period(about.period),
        first=day_date(about.first_day),
        last=day_date(about.last_day),
        figures_end=day_date(about.figures_end),
        language=about.language,
        title=about.title,
        ordered_by=about.ordered_by or None,
        instruction=about.instruction or None,
        purpose=about.purpose,
        revision=about.revision,
        files=[
            ReportFileResource(
                format=each.format,
                href=f"/v1/reports/{report.id}.{each.format}",
                sha256=each.digest,
                bytes=each.size,
            )
            for each in report.files
        ],
    )


@lru_cache(maxsize=1)
def languages() -> dict[str, Language]:
    """Every language a report may be in."""
    return dict(load_languages())


def _found(store: Store, report: int, token: Token) -> Report:
    try:
        found = store.reports.report(report)
    except NotThere as error:
        raise NoSuchThing(str(error)) from None
    if not visible(found, store, token):
        raise NoSuchThing(f"there is no report {report}")  # nor does it say that there is one for others
    return found
