"""The page Requests: the list, a new request, one request with its history, papers and next steps.

Plain forms, as the Register's: what is done is answered by sending the browser on (303), what is refused is shown again
with what was typed. Everything needs the scope ``disclose``.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.auth import require
from api.disclosure.desk import StepRefused, entered, now_unix_ms, registered, the_case, the_cases, zone_of
from api.disclosure.page import case_values, field_labels, form_choices, list_values, local
from api.disclosure.papers import made_paper
from api.disclosure.routes import paper_response
from api.disclosure.words import problem_words
from api.errors import BadQuestion, NotNow
from api.forms import large_form_fields
from api.i18n import Language
from api.parts import parts_of
from api.rendering import Renderer
from collector.store import Token
from schemas.disclosure_resources import NewPaper, NewRequest, NewStep

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Token, require("disclose", page=True, within_limits=True)]
Year = Annotated[int, Path(ge=2000, le=2100)]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
_MOST_BYTES = 48_000  # a letter of 4,000 letters, six bytes each, and more
_CHECKS = ("urgent", "simple", "grant")
_MOMENTS = ("received_at", "due_at", "notice_sent_at")


async def _form(request: Request) -> dict[str, str]:
    return await large_form_fields(request, _MOST_BYTES)


Fields = Annotated[dict[str, str], Depends(_form)]


@router.get("/requests")
def requests(request: Request, token: Keeper) -> Response:
    """Every open request, overdue ones first."""
    page = _Page(request)
    now = now_unix_ms()
    values = list_values(
        the_cases(page.store, token, now), page.register, page.language, page.zone, now, request.query_params
    )
    return page.show("requests.html", values, token)


@router.get("/requests/new")
def new_request(request: Request, token: Keeper) -> Response:
    """An empty form."""
    return _Page(request).show_new(token, {}, None)


@router.post("/requests/new")
def register_request(request: Request, token: Keeper, fields: Fields) -> Response:
    """Enters a request; a spoken one leads to its receipt."""
    page = _Page(request)
    try:
        made = registered(page.store, token, NewRequest.model_validate(page.values_of(fields)), now_unix_ms())
    except (ValidationError, BadQuestion) as error:
        return page.show_new(token, fields, _said(error, page))
    return RedirectResponse(f"/requests/{made.request.name}", 303)


@router.get("/requests/{year}/{number}")
def one_request(request: Request, year: Year, number: Number, token: Keeper) -> Response:
    """One request with everything that happened to it."""
    return _Page(request).show_case(token, year, number)


@router.post("/requests/{year}/{number}/papers")
def make_paper(request: Request, year: Year, number: Number, token: Keeper, fields: Fields) -> Response:
    """Makes a receipt, a letter or a notice."""
    page = _Page(request)
    case = the_case(page.store, token, year, number)
    try:
        paper = NewPaper.model_validate({name: value for name, value in fields.items() if value.strip()})
        made = made_paper(page.store, page.renderer.languages, token, case, paper, now_unix_ms())
    except (ValidationError, BadQuestion, NotNow) as error:
        return page.show_case(token, year, number, fields, _said(error, page))
    return RedirectResponse(f"/requests/{year}/{number}?paper={made}#papers", 303)


@router.get("/requests/{year}/{number}/papers/{paper}.pdf")
def read_paper(request: Request, year: Year, number: Number, paper: Number, token: Keeper) -> Response:
    """A paper as it was given out."""
    return paper_response(parts_of(request).store, token, year, number, paper)


@router.post("/requests/{year}/{number}/{what}")
def enter(request: Request, year: Year, number: Number, what: str, token: Keeper, fields: Fields) -> Response:
    """Enters what happened next."""
    page = _Page(request)
    case = the_case(page.store, token, year, number)
    seq = fields.pop("seq", "")
    try:
        step = NewStep.model_validate({"what": what, "seq": seq, "fields": page.values_of(fields, what)})
        entered(page.store, token, case, step, now_unix_ms())
    except (ValidationError, BadQuestion, NotNow) as error:
        return page.show_case(token, year, number, fields, _said(error, page))
    return RedirectResponse(f"/requests/{year}/{number}#history", 303)


class _Page:
    """What every handler has at hand."""

    def __init__(self, request: Request):
        self.request = request
        self.renderer: Renderer = request.app.state.pages
        self.store = parts_of(request).store
        self.language: Language = self.renderer.language_of(request)
        _, self.register = self.store.book.whole()
        self.zone = zone_of(self.register)

    def show(self, template: str, values: Mapping[str, Any], token: Token, status: int = 200) -> Response:
        frame = self.renderer.frame(token)
        return self.renderer.page(self.request, template, values, frame=frame, status=status)

    def show_new(self, token: Token, typed: Mapping[str, str], problem: str | None) -> Response:
        now = local(now_unix_ms(), self.zone)
        values = self._forms(token) | {
            "typed": _typed(
                {"received_at": now.strftime("%Y-%m-%dT%H:%M"), "language": self.language.code} | dict(typed)
            ),
            "problem": problem,
            "now": now.strftime("%Y-%m-%dT%H:%M"),
        }
        return self.show("request_new.html", values, token, 422 if problem else 200)

    def show_case(
        self, token: Token, year: int, number: int, typed: Mapping[str, str] | None = None, problem: str | None = None
    ) -> Response:
        case = the_case(self.store, token, year, number)
        now = now_unix_ms()
        key = case.request.id
        values = case_values(
            case,
            self.store.disclosures.papers(key),
            self.store.disclosures.person(key),
            self.register,
            self.language,
            self.zone,
            now,
        )
        request = case.request
        current = {
            "kind": request.kind,
            "requester_class": request.requester_class,
            "form": request.form,
            "language": request.language,
            "branch": request.branch or "",
            "received_at": local(request.received_unix_ms, self.zone).strftime("%Y-%m-%dT%H:%M"),
            "subject": request.subject,
            "urgent": "1" if request.urgent else "",
            "simple": "1" if request.simple else "",
            "reasons": request.reasons or "",
            "legal_basis": request.legal_basis or "",
            "due_at": local(request.due_unix_ms, self.zone).strftime("%Y-%m-%dT%H:%M") if request.due_unix_ms else "",
        }
        more = {
            "typed": _typed(typed or {}),
            "current": current,
            "problem": problem,
            "now": local(now, self.zone).strftime("%Y-%m-%dT%H:%M"),
            "made": self.request.query_params.get("paper"),
        }
        return self.show("request.html", values | self._forms(token) | more, token, 422 if problem else 200)

    def values_of(self, fields: Mapping[str, str], what: str = "") -> dict[str, Any]:
        """What was typed, in the types of the resources. An empty field is none; of a correction it empties."""
        found: dict[str, Any] = {}
        for name, text in fields.items():
            if name in _MOMENTS and text.strip():
                found[name] = _moment(text, self.zone)
            elif text.strip():
                found[name] = text.strip()
            elif what == "corrected":
                found[name] = None
        if what in ("", "corrected"):
            found |= {name: bool(fields.get(name)) for name in ("urgent", "simple")}
        if what == "decided":
            found["grant"] = fields.get("grant") == "yes"
        return found

    def _forms(self, token: Token) -> dict[str, Any]:
        codes = [(each.code, each.own_name) for each in self.renderer.languages.values()]
        return form_choices(self.register, self.language, codes, token.limits) | {"labels": field_labels(self.language)}


def _typed(fields: Mapping[str, str]) -> Mapping[str, str]:
    """What was typed; a field that nobody filled in is empty, as a template wants it."""
    return defaultdict(str, fields)


def _moment(text: str, zone: ZoneInfo) -> Any:
    """A local moment of a form; what is none is left as it is, and refused with the field's name."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return text


def _said(error: ValidationError | BadQuestion | NotNow, page: _Page) -> str:
    """Why it was refused, in the reader's language as far as we have words."""
    language: Language = page.language
    _ = language.gettext
    if isinstance(error, StepRefused):
        return problem_words(error.why, language)
    if isinstance(error, NotNow):
        return _("Somebody else has entered something meanwhile. Look at the history, then enter it again.")
    labels = field_labels(language)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else str(first["msg"]).partition(": ")[2].partition(":")[0]
    else:
        field = error.field or ""
    label = labels.get(field.removesuffix("_at"), labels.get(field))
    if label:
        return _("Check the field “%(field)s”: it is missing, too long, or not possible.") % {"field": label}
    return _("Something in the form is not right, or there are no figures of that time.")
