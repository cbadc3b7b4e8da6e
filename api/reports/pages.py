"""The page *Reports*: what was made, what is due, making one. It is a plain form; files come by ``/v1/reports``."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import require
from api.errors import ApiError, BadQuestion, ScopeMissing, UnknownPurpose
from api.forms import form_fields
from api.i18n import Language
from api.parts import parts_of
from api.rendering import Renderer
from api.reports.chore import due, today_of
from api.reports.order import CUTS, Order, visible
from api.reports.routes import ordered
from api.role_words import purpose_names
from collector.store import Register, Report, Store, Token
from schemas.periods import Period, bounds, day_date
from schemas.register_names import known_by

router = APIRouter(include_in_schema=False)
_Reader = Annotated[Token, require("reports", page=True, within_limits=True)]
_Fields = Annotated[dict[str, str], Depends(form_fields)]
_SHOWN = 200
_EMPTY = dict.fromkeys(
    ("cut", "branch", "direction", "period", "day", "language", "ordered_by", "instruction", "purpose", "order"), ""
)


@router.get("/reports")
def reports(request: Request, token: _Reader) -> Response:
    """The newest first, what is due above them, and the form."""
    return _page(request, token)


@router.post("/reports/make")
def make_report(request: Request, fields: _Fields, token: _Reader) -> Response:
    """Makes one and goes back to the list, where it stands first; what is refused is said above the form."""
    renderer = _renderer(request)
    store = parts_of(request).store
    try:
        made = ordered(store, token, _order_of(fields, renderer.language_of(request).code))
    except (BadQuestion, ScopeMissing) as problem:
        return _page(request, token, typed=fields, problem=problem)
    return RedirectResponse(f"/reports?made={made.id}", 303)


def _page(
    request: Request, token: Token, *, typed: Mapping[str, str] | None = None, problem: ApiError | None = None
) -> Response:
    renderer = _renderer(request)
    store = parts_of(request).store
    language = renderer.language_of(request)
    _, register = store.book.whole()
    today = today_of(store, time.time_ns() // 1_000_000)
    found = [each for each in store.reports.reports(limit=_SHOWN) if visible(each, store, token)]
    zone = ZoneInfo(register.timezone)
    values = {
        "reports": [_row(each, language, zone) for each in found],
        "made": request.query_params.get("made", ""),
        "due": _due(store, request, register, language, today),
        "offered": _choices(register, renderer, language, token, today),
        "typed": _EMPTY | _usual(today, language) | dict(typed or {}),
        "problem": _said(problem, language) if problem else None,
        "may_name_operators": "operators" in token.scopes,
    }
    return renderer.page(request, "reports.html", values, frame=renderer.frame(token), status=422 if problem else 200)


def _row(report: Report, language: Language, zone: ZoneInfo) -> dict[str, Any]:
    about = report.about
    made = datetime.fromtimestamp(report.made_unix_ms / 1000, UTC).astimezone(zone)
    return {
        "id": report.id,
        "title": about.title,
        "lang": about.language,
        "made": language.moment(made),
        "made_by": about.made_by,
        "ordered_by": about.ordered_by,
        "is_about_people": about.cut == "operator",
        "over": about.figures_end >= about.last_day,
        "until": language.day(day_date(about.figures_end)),
        "files": [
            {"href": f"/v1/reports/{report.id}.{each.format}", "name": each.format.upper()} for each in report.files
        ],
    }


def _due(store: Store, request: Request, register: Register, language: Language, today: date) -> dict[str, Any]:
    """Which of last month's reports are still missing, and when they will be made."""
    settings = parts_of(request).settings
    month = bounds(today.replace(day=1) - timedelta(days=1), Period.MONTH)[0]
    missing = due(store, settings, month)
    names = {each.id: language.name_of(each) for each in register.branches}
    return {
        "month": language.period(month, Period.MONTH),
        "day": language.day(today.replace(day=settings.reports_day)),
        "is_late": today.day >= settings.reports_day,
        "places": list(
            dict.fromkeys(names.get(each.key, each.key) or language.gettext("The whole centre") for each in missing)
        ),
    }


def _choices(
    register: Register, renderer: Renderer, language: Language, token: Token, today: date
) -> dict[str, Sequence[tuple[str, str]]]:
    _ = language.gettext
    cuts = {"centre": _("The whole centre"), "branch": _("A branch"), "direction": _("A direction of services")}
    if "operators" in token.scopes:
        cuts["operator"] = _("Operators (of a branch or of all)")
    periods = {
        Period.MONTH: _("Month"),
        Period.QUARTER: _("Quarter"),
        Period.YEAR: _("Year"),
        Period.WEEK: _("Week"),
        Period.DAY: _("Day"),
    }
    return {
        "cuts": list(cuts.items()),
        "branches": [
            (each.id, language.name_of(each))
            for each in known_by(register, "branches", today)
            if token.limits.branches is None or each.id in token.limits.branches
        ],
        "directions": [
            (each.id, language.name_of(each))
            for each in known_by(register, "directions", today)
            if token.limits.directions is None or each.id in token.limits.directions
        ],
        "periods": [(str(period), name) for period, name in periods.items()],
        "languages": [(each.code, each.own_name) for each in renderer.languages.values()],
        "purposes": list(purpose_names(language).items()),
    }


def _usual(today: date, language: Language) -> dict[str, str]:
    """What most people want: last month's."""
    last_month = today.replace(day=1) - timedelta(days=1)
    return {"cut": "centre", "period": "month", "day": last_month.isoformat(), "language": language.code}


def _order_of(fields: Mapping[str, str], language: str) -> Order:
    """Raises BadQuestion for what no form of ours sends."""
    cut = next((each for each in CUTS if each == fields.get("cut")), None)
    try:
        period, day = Period(fields.get("period", "")), date.fromisoformat(fields.get("day", ""))
    except ValueError:
        raise BadQuestion("Choose a period and a day in it.", field="day") from None
    if cut is None or not 2000 <= day.year <= 2100:
        raise BadQuestion("Choose what the report is to be about.", field="cut")
    key = fields.get("direction", "") if cut == "direction" else fields.get("branch", "") if cut != "centre" else ""
    return Order(
        cut=cut,
        period=period,
        day=day,
        language=fields.get("language") or language,
        key=key,
        ordered_by=_line(fields.get("ordered_by", "")),
        instruction=_line(fields.get("instruction", "")),
        purpose=fields.get("purpose") or None,
        order=int(number)
        if (number := fields.get("order", "")).isascii() and number.isdigit() and len(number) < 10
        else None,
    )


def _line(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()[:120]


def _said(problem: ApiError, language: Language) -> str:
    _ = language.gettext
    if isinstance(problem, ScopeMissing):
        return _("That report is not yours to ask for.")
    if isinstance(problem, UnknownPurpose):
        return _("A report about operators needs a purpose out of point 4.7 of the order.")
    match problem.field:
        case "ordered_by":
            return _("Say on whose instruction it is made (point 4.3 of the order).")
        case "key":
            return _("Choose the branch or the direction that the report is to be about.")
        case "day":
            return _("Nothing is counted for that time yet, or the day is none.")
    return _("Something in the form is not right.")


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.pages
    return renderer
