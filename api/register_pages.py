"""The pages of those who keep the register: look, change one thing from a day on, take CSV files in, take it back.

Everything needs the scope ``register``; names of operators are shown and changed only with ``names`` besides. They work
as plain forms: a change is answered by sending the browser on (303) to where it shows, with a way to undo it; what is
refused is shown again with what was typed.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.auth import allowed, require
from api.errors import BadRequestBody, NoSuchThing, RegisterChanged, RegisterRefused
from api.forms import large_form_fields, uploaded_files
from api.parts import parts_of
from api.register import sheets_response
from api.register_forms import SHAPES, day_of, needed_day, number_of, register_fields, sheets_in, values_of
from api.register_page import FIELDS, PARTS, THINGS, Shown
from api.registering import Proposal, carry_out, go_back, of_register, of_sheets, problems_of
from api.rendering import Renderer
from collector.store import NotThere, Register, Store, Token
from schemas import register_archive, register_edit
from schemas.register_csv import FILES
from schemas.register_names import by_id
from schemas.register_rules import begins
from schemas.resources import FieldProblem

router = APIRouter(include_in_schema=False)
Keeper = Annotated[Token, require("register", page=True)]
Fields = Annotated[dict[str, str], Depends(register_fields)]
# Base64 in a form: a third more, and its signs written as %2B and the like.
_MOST_FORM_BYTES = register_archive.MOST_BYTES * 2
REVISIONS = 50


# ---- looking
@router.get("/register")
def register(token: Keeper) -> Response:
    """The branches come first."""
    return RedirectResponse("/register/branches", 303)


@router.get("/register/exchange")
def exchange(request: Request, token: Keeper) -> Response:
    """Download, upload, and every register there was."""
    return _exchange(request, token)


@router.get("/register/download")
def download(request: Request, token: Keeper, names: str = "") -> Response:
    """The register as CSV files."""
    store = parts_of(request).store
    if names:
        allowed(token, ("names",))
    return sheets_response(store, store.book.names(token.name) if names else None)


@router.get("/register/undo/{number}")
def ask_undo(request: Request, number: int, token: Keeper) -> Response:
    """Asks whether to make an earlier register the register again."""
    renderer, store, shown = _at_hand(request, token, "")
    _ = shown.language.gettext
    if number not in {each.number for each in store.book.revisions(1000)}:
        raise NoSuchThing(f"There is no revision {number}.")
    values = {
        "heading": _("Go back to revision %(number)s?") % {"number": number},
        "about": _("What was changed since is taken back; it stays in the list and can be made again."),
        "text": _("Figures and votes are not touched."),
        "action": "/register/revert",
        "fields": {"number": number, "revision": store.book.whole()[0]},
        "yes": _("Go back"),
        "back": "/register/exchange",
    }
    return renderer.page(request, "confirm.html", values, frame=renderer.frame(token))


@router.get("/register/{part}")
def part_page(request: Request, part: str, token: Keeper) -> Response:
    """One part of the register, with a form to add to it."""
    return _part(request, token, part)


@router.get("/register/{part}/{name}")
def thing_page(request: Request, part: str, name: str, token: Keeper) -> Response:
    """One branch, desk, service ... with its past and what is planned."""
    return _thing(request, token, part, name)


# ---- changing
@router.post("/register/revert")
def revert(request: Request, token: Keeper, fields: Fields) -> Response:
    """Makes an earlier register the register again."""
    made = go_back(parts_of(request).store, number_of(fields, "number"), token, number_of(fields, "revision"))
    return RedirectResponse(f"/register/exchange?done={made}", 303)


@router.post("/register/upload")
async def upload(request: Request, token: Keeper) -> Response:
    """Shows what uploaded CSV files would change; nothing is changed yet."""
    sent = await uploaded_files(request, register_archive.MOST_BYTES)
    return await run_in_threadpool(_uploaded, request, token, sent)


@router.post("/register/confirm")
async def confirm(request: Request, token: Keeper) -> Response:
    """Does what was shown."""
    fields = await large_form_fields(request, _MOST_FORM_BYTES)
    return await run_in_threadpool(_confirmed, request, token, fields)


@router.post("/register/{part}/add")
def add(request: Request, part: str, token: Keeper, fields: Fields) -> Response:
    """Adds a branch, a desk, a row of hours ..."""
    _known(part)

    def edit(before: Register) -> Register:
        names = (*(("id",) if part in THINGS else ()), *FIELDS[part], "valid_from")
        return register_edit.added(before, part, SHAPES[part].model_validate(values_of(fields, names, part)))

    to = f"/register/{part}/{fields.get('id', '')}" if part in THINGS else f"/register/{part}"
    return _edited(request, token, fields, edit, to, lambda typed, faults: _part(request, token, part, typed, faults))


@router.post("/register/{part}/remove")
def remove(request: Request, part: str, token: Keeper, fields: Fields) -> Response:
    """Takes away a row of hours or of the calendar."""
    _known(part)
    return _edited(
        request, token, fields, lambda before: register_edit.without(before, part, number_of(fields, "index")),
        f"/register/{part}", lambda typed, faults: _part(request, token, part, typed, faults),
    )  # fmt: skip


@router.post("/register/{part}/{name}/{act}")
def change(request: Request, part: str, name: str, act: str, token: Keeper, fields: Fields) -> Response:
    """Changes a thing from a day on, closes it, moves an operator to a desk, or says who the operator is."""
    _known(part)
    store = parts_of(request).store
    if act == "name" and part == "operators":
        return _named(request, store, token, name, fields)
    edits: dict[str, Callable[[Register], Register]] = {
        "change": lambda before: register_edit.changed(
            before, part, name, day_of(fields, "from"), values_of(fields, FIELDS[part], part, every=True)
        ),
        "close": lambda before: register_edit.closed(
            before, part, name, needed_day(fields, "last"), fields.get("merged_into") or None
        ),
        "seat": lambda before: register_edit.assigned(
            before, name, fields.get("desk") or None, needed_day(fields, "from")
        ),
    }
    if act not in edits or part not in THINGS:
        raise NoSuchThing("There is nothing to do.")
    to = f"/register/{part}/{name}"
    return _edited(
        request, token, fields, edits[act], to, lambda typed, faults: _thing(request, token, part, name, typed, faults)
    )


# ---- what they have in common
def _edited(
    request: Request,
    token: Token,
    fields: Mapping[str, str],
    edit: Callable[[Register], Register],
    to: str,
    again: Callable[[Mapping[str, str], list[FieldProblem]], Response],
) -> Response:
    store = parts_of(request).store
    revision, before = store.book.whole()
    try:
        if number_of(fields, "revision") != revision:
            raise RegisterChanged("")
        proposal = of_register(store, edit(before), revision, before)
        if not proposal.changes:
            return RedirectResponse(to, 303)
        made = carry_out(store, proposal, token, "edit", to.removeprefix("/register/"))
    except ValidationError as error:
        return again(fields, problems_of(error))
    except register_edit.CannotEdit as error:
        return again(fields, [FieldProblem(parameter="", detail=str(error), rule=error.rule)])
    except RegisterRefused as error:
        return again(fields, error.faults)
    except RegisterChanged:
        return again(fields, [FieldProblem(parameter="changed", detail="")])
    return RedirectResponse(f"{to}?done={made}", 303)


def _part(
    request: Request,
    token: Token,
    part: str,
    typed: Mapping[str, str] | None = None,
    faults: list[FieldProblem] | None = None,
) -> Response:
    _known(part)
    renderer, store, shown = _at_hand(request, token, part, typed)
    wanted, ended = request.query_params.get("q", "").strip()[:80], bool(request.query_params.get("ended"))
    names = (*(("id",) if part in THINGS else ()), *FIELDS[part])
    values = {
        "part": part,
        "is_thing": part in THINGS,
        "table": shown.table(part, wanted, ended),
        "wanted": wanted,
        "with_ended": ended,
        "form": shown.form(names if "valid_from" in names or "day" in names else (*names, "valid_from")),
    }
    return _shown(request, renderer, store, token, shown, "register.html", values, faults)


def _thing(
    request: Request,
    token: Token,
    part: str,
    name: str,
    typed: Mapping[str, str] | None = None,
    faults: list[FieldProblem] | None = None,
) -> Response:
    renderer, store, shown = _at_hand(request, token, part, typed)
    rows = by_id(getattr(shown.register, part)).get(name) if part in THINGS else None
    if not rows:
        raise NoSuchThing(f"There is no {name!r} in the register.")
    seats = [
        each for each in shown.register.assignments if name in (each.operator if part == "operators" else each.desk,)
    ]
    seats.sort(key=begins)
    values = {
        "part": part,
        "thing": shown.thing(part, name),
        "rows": [
            {"title": shown.title(part, row), "when": shown.when(row), "about": shown.about(part, row)} for row in rows
        ],
        "form": shown.form(FIELDS[part], rows[-1]),
        "today": shown.today.isoformat(),
        "last": shown.typed.get("last", ""),
        "merge_choices": [each for each in shown.choices("merged_into") if each[0] != name]
        if part == "branches"
        else [],
        "desk_choices": shown.choices("desk") if part == "operators" else [],
        "seats": [
            {"desk": each.desk, "operator": each.operator, "when": shown.when(each)}
            for each in sorted(seats, key=begins)
        ],
    }
    return _shown(request, renderer, store, token, shown, "register_thing.html", values, faults)


def _exchange(request: Request, token: Token, faults: list[FieldProblem] | None = None) -> Response:
    renderer, store, shown = _at_hand(request, token, "")
    values = {
        "part": "exchange",
        "revisions": shown.revisions(store.book.revisions(REVISIONS)),
        "files": sorted(FILES),
        "proposal": None,
    }
    return _shown(request, renderer, store, token, shown, "register_exchange.html", values, faults)


def _uploaded(request: Request, token: Token, sent: Mapping[str, bytes]) -> Response:
    try:
        files = sheets_in(sent)
        proposal = of_sheets(parts_of(request).store, files, token)
    except RegisterRefused as error:
        return _exchange(request, token, error.faults)
    except RegisterChanged:
        return _exchange(request, token, [FieldProblem(parameter="changed", detail="")])
    except register_archive.NoArchive as error:
        return _exchange(request, token, [FieldProblem(parameter="", detail=str(error), rule="sheet")])
    renderer, store, shown = _at_hand(request, token, "")
    values = {
        "part": "exchange",
        "revisions": [],
        "files": [],
        "proposal": _difference(shown, proposal, base64.b64encode(register_archive.pack(files)).decode()),
    }
    return _shown(request, renderer, store, token, shown, "register_exchange.html", values, None)


def _confirmed(request: Request, token: Token, fields: Mapping[str, str]) -> Response:
    store = parts_of(request).store
    try:
        files = register_archive.unpack(base64.b64decode(fields.get("archive", ""), validate=True))
        proposal = of_sheets(store, files, token)
        if proposal.revision != number_of(fields, "revision"):
            raise RegisterChanged("")
        made = carry_out(store, proposal, token, "import")
    except (binascii.Error, register_archive.NoArchive):
        raise BadRequestBody("It is not what the page before sent.") from None
    except RegisterRefused as error:
        return _exchange(request, token, error.faults)
    except RegisterChanged:
        return _exchange(request, token, [FieldProblem(parameter="changed", detail="")])
    return RedirectResponse(f"/register/exchange?done={made}", 303)


def _named(request: Request, store: Store, token: Token, name: str, fields: Mapping[str, str]) -> Response:
    allowed(token, ("names",))
    person = fields.get("person", "").strip()
    if len(person) > 160 or not (person or "x").isprintable():
        raise BadRequestBody("It is no name.")
    try:
        store.book.name(name, person, author=token.name)
    except NotThere:
        raise BadRequestBody("It is no name.") from None
    return RedirectResponse(f"/register/operators/{name}", 303)


def _shown(
    request: Request,
    renderer: Renderer,
    store: Store,
    token: Token,
    shown: Shown,
    template: str,
    values: Mapping[str, Any],
    faults: list[FieldProblem] | None,
) -> Response:
    revision = store.book.whole()[0]
    done = request.query_params.get("done", "")
    more = {
        "parts": shown.parts(),
        "revision": revision,
        "faults": shown.faults(faults or []),
        "done": revision if done == str(revision) and revision > 1 and not faults else None,
        "may_name": "names" in token.scopes,
    }
    status = 422 if faults else 200
    return renderer.page(request, template, {**values, **more}, frame=renderer.frame(token), status=status)


def _at_hand(
    request: Request, token: Token, part: str, typed: Mapping[str, str] | None = None
) -> tuple[Renderer, Store, Shown]:
    renderer: Renderer = request.app.state.pages
    store = parts_of(request).store
    _revision, register = store.book.whole()
    names = store.book.names(token.name) if part == "operators" and "names" in token.scopes else None
    return renderer, store, Shown(register, datetime.now(UTC).date(), renderer.language_of(request), names, typed or {})


def _difference(shown: Shown, proposal: Proposal, archive: str) -> dict[str, Any]:
    return {
        "changes": shown.difference(proposal.changes),
        "names": len(proposal.names) if proposal.names is not None else None,
        "is_empty": proposal.changes_nothing,
        "archive": archive,
    }


def _known(part: str) -> None:
    if part not in PARTS:
        raise NoSuchThing(f"There is no part {part!r} of the register.")
