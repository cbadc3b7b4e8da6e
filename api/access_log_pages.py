"""The pages *Access log* and *Orders*: who read what about whom, why, and by which instruction (order P4.3, P4.8)."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.access.operators import orders_in_force
from api.access_log import Asked, zone_of
from api.auth import require
from api.errors import BadRequestBody, NoSuchThing
from api.forms import form_fields
from api.i18n import Language
from api.parts import parts_of
from api.rendering import Renderer
from api.role_words import purpose_names, role_names
from collector.store import Declined, NotThere, ReadingOrder, Register, Store, Token
from schemas.periods import day_date, day_key, day_of

router = APIRouter(include_in_schema=False)
Reader = Annotated[Token, require("access_log", page=True)]
Recorder = Annotated[Token, require("disclose", page=True)]
Fields = Annotated[dict[str, str], Depends(form_fields)]
A_PAGE = 50
USUAL_DAYS = 30  # how long an order is in force if nothing else is said
CHANGES = 50


@router.get("/access-log")
def access_log(request: Request, token: Reader) -> Response:
    """Readings of operators' figures, the newest first; and who gave whom which rights."""
    renderer, store, language = _at_hand(request)
    query = request.query_params
    problem = None
    try:
        asked = Asked.of(query.multi_items())
    except ValidationError:
        problem, asked = language.gettext("Something in the address or in the form is not right."), Asked()
    zone = zone_of(store)
    wanted = asked.filter(zone)
    total = store.staff.count_readings(wanted)
    page = _page_number(query.get("page", ""), total)
    names = role_names(language)
    purposes = purpose_names(language)
    filters = asked.model_dump(mode="json", by_alias=True, exclude_none=True)
    values: dict[str, Any] = {
        "problem": problem,
        "total": total,
        "readings": [
            {
                "at": language.moment(datetime.fromtimestamp(each.at_unix_ms / 1000, UTC).astimezone(zone)),
                "reader": each.reader,
                "role": names.get(each.role or "", each.role or ""),
                "purpose": purposes.get(each.purpose or "", each.purpose or "–"),
                "order": each.reading_order,
                "about": each.about,
                "branch": each.branch,
                "granted": each.granted,
                "question": each.question,
            }
            for each in store.staff.readings(wanted, offset=(page - 1) * A_PAGE, limit=A_PAGE)
        ],
        "purposes": list(purposes.items()),
        "branch_choices": [(each.id, language.name_of(each)) for each in store.register().branches],
        "asked": dict.fromkeys(("reader", "about", "branch", "purpose", "granted", "from", "to")) | filters,
        "page": page,
        "newer": _address(filters, page - 1) if page > 1 else None,
        "older": _address(filters, page + 1) if page * A_PAGE < total else None,
        "export": "/v1/access-log.csv" + (f"?{urlencode(filters)}" if filters else ""),
        "changes": [
            {
                "at": language.moment(datetime.fromtimestamp(each.at_unix_ms / 1000, UTC).astimezone(zone)),
                "author": each.author,
                "what": change_words(language).get(each.what, each.what),
                "about": each.about,
                "detail": each.detail,
            }
            for each in store.staff.changes(CHANGES)
        ],
    }
    status = 422 if problem else 200
    return renderer.page(request, "access_log.html", values, frame=renderer.frame(token), status=status)


@router.get("/orders")
def orders(request: Request, token: Recorder) -> Response:
    """Recorded instructions, the newest first, and a form for one more."""
    return _orders(request, token)


@router.post("/orders/add")
def add_order(request: Request, token: Recorder, fields: Fields) -> Response:
    """Records an instruction."""
    store = parts_of(request).store
    try:
        store.staff.record_order(_order_of(fields, store.book.whole()[1], token))
    except (BadRequestBody, Declined) as problem:
        return _orders(request, token, typed=fields, problem=problem)
    return RedirectResponse("/orders", 303)


@router.post("/orders/withdraw")
def withdraw(request: Request, token: Recorder, fields: Fields) -> Response:
    """Nobody reads by it any more; the line stays."""
    number = fields.get("order", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise BadRequestBody("That is no order.", field="order")
    try:
        parts_of(request).store.staff.withdraw_order(int(number))
    except NotThere:
        raise NoSuchThing("There is no such order in force.") from None
    return RedirectResponse("/orders", 303)


def change_words(language: Language) -> dict[str, str]:
    """What was changed about somebody's rights."""
    _ = language.gettext
    return {
        "created": _("account opened"),
        "changed": _("rights changed"),
        "disabled": _("account closed"),
        "enabled": _("account opened again"),
        "password": _("password changed"),
        "token": _("token made"),
        "revoked": _("token ended"),
    }


def _orders(
    request: Request, token: Token, *, typed: dict[str, str] | None = None, problem: Exception | None = None
) -> Response:
    renderer, store, language = _at_hand(request)
    now_unix_ms = time.time_ns() // 1_000_000
    today = _today(store, now_unix_ms)
    in_force = {each.id for each in orders_in_force(store, now_unix_ms)}
    names = {each.id: language.name_of(each) for each in store.register().branches}
    usual = {"number": "", "day": today.isoformat(), "ordered_by": "", "about": "", "branch": "", "operator": "",
             "last": (today + timedelta(days=USUAL_DAYS)).isoformat()}  # fmt: skip
    values = {
        "orders": [
            {
                "id": each.id,
                "number": each.number,
                "day": language.day(day_date(each.day)),
                "by": each.ordered_by,
                "about": each.about,
                "branch": names.get(each.branch or "", each.branch),
                "operator": each.operator,
                "last": language.day(day_date(each.last_day)),
                "recorded_by": each.recorded_by,
                "in_force": each.id in in_force,
                "withdrawn": each.withdrawn_unix_ms is not None,
            }
            for each in store.staff.orders()
        ],
        "branch_choices": list(names.items()),
        "typed": usual | (typed or {}),
        "problem": str(problem) if problem else "",
    }
    status = 422 if problem else 200
    return renderer.page(request, "orders.html", values, frame=renderer.frame(token), status=status)


def _order_of(fields: dict[str, str], register: Register, token: Token) -> ReadingOrder:
    """Raises BadRequestBody."""
    try:
        day, last = date.fromisoformat(fields.get("day", "")), date.fromisoformat(fields.get("last", ""))
    except ValueError:
        raise BadRequestBody("It needs a day and a last day.", field="day") from None
    if not 2000 <= day.year <= last.year <= 2100 or (last - day).days > 366:
        raise BadRequestBody("An order is in force for a year at most.", field="last")
    branch, operator = fields.get("branch", "").strip(), fields.get("operator", "").strip()
    if branch and branch not in {each.id for each in register.branches}:
        raise BadRequestBody("There is no such branch.", field="branch")
    if operator and operator not in {each.id for each in register.operators}:
        raise BadRequestBody("There is no such operator.", field="operator")
    return ReadingOrder(
        number=fields.get("number", "").strip(),
        day=day_key(day),
        ordered_by=fields.get("ordered_by", "").strip(),
        about=fields.get("about", "").strip(),
        branch=branch or None,
        operator=operator or None,
        recorded_by=token.name,
        last_day=day_key(last),
    )


def _page_number(text: str, total: int) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 1
    return max(1, min(number, max(1, -(-total // A_PAGE))))


def _address(filters: dict[str, Any], page: int) -> str:
    return "/access-log?" + urlencode(filters | {"page": page})


def _today(store: Store, now_unix_ms: int) -> date:
    return day_date(day_of(now_unix_ms, str(zone_of(store))))


def _at_hand(request: Request) -> tuple[Renderer, Store, Language]:
    renderer: Renderer = request.app.state.pages
    return renderer, parts_of(request).store, renderer.language_of(request)
