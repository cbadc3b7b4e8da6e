"""``/v1/evidence``: what certification and CAF can build upon, its sheets of paper, its workbook, and targets."""

import time
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import require
from api.errors import BadQuestion, NoSuchThing, NotNow
from api.evidence import model
from api.evidence.assembling import assembled
from api.evidence.measures import measures
from api.evidence.paper import paper
from api.evidence.series import period_of
from api.evidence.sheets import workbook
from api.i18n import Language
from api.parts import Parts, parts_of
from api.reports.chore import today_of
from api.reports.routes import languages
from collector.store import NewTarget, OutOfTurn, Target, Token
from schemas.evidence_resources import Evidence, TargetBody, TargetList, TargetResource
from schemas.periods import Period, day_date, day_key

router = APIRouter()
_Reader = Annotated[Token, require("evidence")]
_Lang = Annotated[str | None, Query(max_length=8, description="the office's own language if not given")]
_By = Annotated[Literal["month", "quarter", "year"], Query(description="values by month, quarter or year")]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/v1/evidence/caf")
def read_caf(request: Request, _token: _Reader, period: _By = "quarter", lang: _Lang = None) -> Evidence:
    """By sub-criterion of CAF 2020: measures over time, trends, targets, caveats; and what nothing here supports."""
    return _evidence(parts_of(request), "caf", period, lang)


@router.get("/v1/evidence/certification")
def read_certification(request: Request, _token: _Reader, period: _By = "quarter", lang: _Lang = None) -> Evidence:
    """By requirement of a level II scheme; ratings are none of its inputs, they support its action plans."""
    return _evidence(parts_of(request), "certification", period, lang)


@router.get("/v1/evidence/{which}.xlsx", response_class=Response)
def read_workbook(
    request: Request,
    which: Literal["caf", "certification"],
    _token: _Reader,
    period: _By = "quarter",
    lang: _Lang = None,
) -> Response:
    """All measures of a model as a workbook."""
    parts = parts_of(request)
    language = _language(parts, lang)
    body = workbook(_evidence(parts, which, period, language.code), language)
    return Response(body, headers=_named(f"evidence-{which}-{period}.xlsx"), media_type=_XLSX)


@router.get("/v1/evidence/{which}/{item}.pdf", response_class=Response)
def read_sheet(
    request: Request,
    which: Literal["caf", "certification"],
    item: Annotated[str, Path(pattern=r"^[a-z0-9.-]{1,20}$")],
    _token: _Reader,
    period: _By = "quarter",
    lang: _Lang = None,
) -> Response:
    """The evidence sheet of one sub-criterion or requirement on paper."""
    parts = parts_of(request)
    language = _language(parts, lang)
    evidence = _evidence(parts, which, period, language.code)
    found = next((each for each in evidence.items if each.id == item), None)
    if found is None:
        raise NoSuchThing(f"There is no evidence for {item!r}.")
    organisation = language.name_of(parts.store.register().organisation)
    body = paper(evidence, found, language, organisation)
    return Response(body, headers=_named(f"evidence-{which}-{item}-{period}.pdf"), media_type="application/pdf")


@router.get("/v1/evidence/targets")
def read_targets(request: Request, _token: _Reader) -> TargetList:
    """All targets, in the order in which they were set. None is ever changed or taken back."""
    return TargetList(targets=[_target(each) for each in parts_of(request).store.reports.targets()])


@router.post("/v1/evidence/targets", status_code=201)
def set_target(
    request: Request, body: TargetBody, token: Annotated[Token, require("evidence", "publish")]
) -> TargetResource:
    """Enters a target, as of today. One for a period that has begun is refused: it could be fitted to the outcome."""
    parts = parts_of(request)
    known = measures(languages()["en"])
    if body.measure not in known:
        raise BadQuestion(f"A target is of one of {', '.join(known)}.", field="measure")
    span = period_of(body.period, body.day)
    now = time.time_ns() // 1_000_000
    new = NewTarget(
        measure=body.measure,
        first_day=day_key(span.first),
        last_day=day_key(span.last),
        value=body.value,
        direction=body.direction,
        set_on=day_key(today_of(parts.store, now)),
        set_by=token.name,
    )
    try:
        return _target(parts.store.reports.set_target(new))
    except OutOfTurn:
        day = span.first - timedelta(days=1)
        raise NotNow(f"A target for {span.name} had to be set by {day}: it is judged by what comes after.") from None


def _evidence(parts: Parts, which: str, period: str, lang: str | None) -> Evidence:
    language = _language(parts, lang)
    made = model.caf(language) if which == "caf" else model.certification(language)
    return assembled(parts.store, made, language, Period(period), time.time_ns() // 1_000_000)


def _language(parts: Parts, lang: str | None) -> Language:
    code = lang or parts.settings.default_language
    if code not in languages():
        raise BadQuestion(f"Evidence is in {', '.join(languages())}.", field="lang")
    return languages()[code]


def _target(target: Target) -> TargetResource:
    about = target.about
    return TargetResource(
        id=target.id,
        measure=about.measure,
        first=day_date(about.first_day),
        last=day_date(about.last_day),
        value=about.value,
        direction=about.direction,
        set_on=day_date(about.set_on),
        set_by=about.set_by,
    )


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="zrazkovo-{name}"', "Cache-Control": "private, no-store"}
