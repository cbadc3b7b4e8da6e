"""The pages of whoever looks after accounts (scope ``users``). They show no figure and no operator's name.

A password that is handed over is shown once, on the answer to the form that made it; it stands in no address, and
loading the page anew shows it no more. Nobody changes their own rights here.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as Place
from fastapi.responses import RedirectResponse

from api.access import passwords
from api.access.roles import ROLES
from api.auth import require
from api.errors import BadRequestBody, NoSuchThing, NotNow
from api.forms import form_lists
from api.i18n import Language
from api.parts import parts_of
from api.people_forms import rights_of, shown_fields
from api.rendering import Renderer
from api.role_words import limit_words, outcome_words, role_descriptions, role_names
from collector.store import Declined, NotThere, Person, Register, Store, Token

log = logging.getLogger("api.access")
router = APIRouter(include_in_schema=False)
Keeper = Annotated[Token, require("users", page=True)]
Fields = Annotated[dict[str, str], Depends(form_lists)]
Who = Annotated[int, Place(ge=1, le=2**31 - 1)]
SIGN_INS = 20


# ---- people
@router.get("/people")
def people(request: Request, token: Keeper) -> Response:
    """Everybody who may sign in, by login."""
    return _people(request, token)


@router.post("/people/add")
def add(request: Request, token: Keeper, fields: Fields) -> Response:
    """A new account with a password to hand over, which this answer shows once."""
    store = parts_of(request).store
    try:
        rights = rights_of(fields, store.book.whole()[1])
        new = Person(
            login=fields.get("login", "").strip().casefold(),
            shown=fields.get("shown", "").strip(),
            role=rights.role,
            limits=rights.limits,
            expires_unix_ms=rights.expires_unix_ms,
            created_by=token.name,
        )
        made = store.staff.create(new)
    except (BadRequestBody, Declined) as problem:
        return _people(request, token, typed=fields, problem=problem)
    return _person(request, token, made.id, handed=_hand_over(store, made.id, token))


@router.get("/people/{who}")
def one(request: Request, who: Who, token: Keeper) -> Response:
    """One account."""
    return _person(request, token, who)


@router.post("/people/{who}/rights")
def set_rights(request: Request, who: Who, token: Keeper, fields: Fields) -> Response:
    """Name, role, limits and end; other rights end the person's sessions."""
    store = parts_of(request).store
    person = _other(store, who, token)
    try:
        rights = rights_of(fields, store.book.whole()[1])
        shown = fields.get("shown", "").strip()
        changed = replace(
            person, shown=shown, role=rights.role, limits=rights.limits, expires_unix_ms=rights.expires_unix_ms
        )
        store.staff.change(changed, token.name)
    except (BadRequestBody, Declined) as problem:
        return _person(request, token, who, typed=fields, problem=problem)
    return RedirectResponse(f"/people/{who}?done=1", 303)


@router.post("/people/{who}/close")
def close(request: Request, who: Who, token: Keeper) -> Response:
    """Closes the account and ends its sessions, at once."""
    return _done(request, who, token, lambda store: store.staff.disable(who, token.name))


@router.post("/people/{who}/open")
def reopen(request: Request, who: Who, token: Keeper) -> Response:
    """Opens a closed account again."""
    return _done(request, who, token, lambda store: store.staff.enable(who, token.name))


@router.post("/people/{who}/sessions")
def end_sessions(request: Request, who: Who, token: Keeper) -> Response:
    """Ends the person's sessions; they may sign in again."""

    def end(store: Store) -> None:
        store.staff.end_sessions(who)

    return _done(request, who, token, end)


@router.post("/people/{who}/password")
def hand_over(request: Request, who: Who, token: Keeper) -> Response:
    """A new password to hand over, shown once; the old one and every session are over."""
    store = parts_of(request).store
    person = _other(store, who, token)
    if person.issuer is not None:
        raise NotNow("This person signs in with the office's own account.")
    return _person(request, token, who, handed=_hand_over(store, who, token))


# ---- shared
def _hand_over(store: Store, who: int, token: Token) -> str:
    password = passwords.new_password()
    until = _now() + passwords.GIVEN_DAYS * 86_400_000
    store.staff.set_password(who, passwords.hashed(password), token.name, until)
    return password


def _other(store: Store, who: int, token: Token) -> Person:
    """Raises NoSuchThing, or NotNow for the reader's own account: nobody gives rights to oneself."""
    if token.person == who:
        raise NotNow("Your own rights and password are for another administrator to change.")
    try:
        return store.staff.by_id(who)
    except NotThere:
        raise NoSuchThing("There is no such person.") from None


def _done(request: Request, who: int, token: Token, do: Callable[[Store], None]) -> Response:
    store = parts_of(request).store
    _other(store, who, token)
    do(store)
    return RedirectResponse(f"/people/{who}?done=1", 303)


def _people(
    request: Request, token: Token, *, typed: dict[str, str] | None = None, problem: Exception | None = None
) -> Response:
    renderer, store, language = at_hand(request)
    names = role_names(language)
    _, register = store.book.whole()
    values = {
        "people": [
            {
                "id": each.id,
                "login": each.login,
                "shown": each.shown,
                "role": names.get(each.role, each.role),
                "limits": limit_words(each.limits, register, language),
                "closed": not each.may_sign_in(_now()),
                "last": moment(each.signed_in_unix_ms, language),
                "waits": each.must_change,
                "elsewhere": each.issuer is not None,
            }
            for each in store.staff.everybody()
        ],
        "typed": _EMPTY | (typed or {}),
    }
    shared = _form_values(store, language, problem)
    return page(renderer, request, "people.html", values | shared, token, problem)


def _person(
    request: Request,
    token: Token,
    who: int,
    *,
    typed: dict[str, str] | None = None,
    problem: Exception | None = None,
    handed: str | None = None,
) -> Response:
    renderer, store, language = at_hand(request)
    try:
        person = store.staff.by_id(who)
    except NotThere:
        raise NoSuchThing("There is no such person.") from None
    _, register = store.book.whole()
    outcomes = outcome_words(language)
    values = {
        "person": person,
        "role": role_names(language).get(person.role, person.role),
        "limits": limit_words(person.limits, register, language),
        "closed": person.disabled_unix_ms is not None,
        "over": person.disabled_unix_ms is None and not person.may_sign_in(_now()),
        "created": moment(person.created_unix_ms, language),
        "last": moment(person.signed_in_unix_ms, language),
        "is_me": token.person == who,
        "handed": handed,
        "days": passwords.GIVEN_DAYS,
        "done": "done" in request.query_params,
        "typed": _EMPTY | (typed or shown_fields(person)),
        "sign_ins": [
            {
                "at": moment(each.at_unix_ms, language),
                "what": outcomes.get(each.outcome, each.outcome),
                "address": each.address,
            }
            for each in store.staff.sign_ins(who, SIGN_INS)
        ],
    }
    shared = _form_values(store, language, problem)
    return page(renderer, request, "person.html", values | shared, token, problem)


_EMPTY = dict.fromkeys(("login", "shown", "role", "branches", "participants", "directions", "operator", "until"), "")


def _form_values(store: Store, language: Language, problem: Exception | None) -> dict[str, Any]:
    names, about = role_names(language), role_descriptions(language)
    register = store.register()
    return {
        "roles": [(role, names[role], about[role]) for role in ROLES],
        "offered": offered(register, language),
        "operators": [each.id for each in register.operators],
        "problem": str(problem) if problem else "",
        "field": getattr(problem, "field", None),
    }


def offered(register: Register, language: Language) -> dict[str, list[tuple[str, str]]]:
    """What limits may name: (id, name) of the register's branches, organisations and directions."""
    return {
        "branches": [(each.id, language.name_of(each)) for each in register.branches],
        "participants": [(each.id, language.name_of(each)) for each in register.participants],
        "directions": [(each.id, language.name_of(each)) for each in register.directions],
    }


def page(
    renderer: Renderer, request: Request, template: str, values: dict[str, Any], token: Token, problem: Exception | None
) -> Response:
    """A page of these; with a problem its form has another status."""
    status = 200 if problem is None else 422
    return renderer.page(request, template, values, frame=renderer.frame(token), status=status)


def at_hand(request: Request) -> tuple[Renderer, Store, Language]:
    """What every page of these needs."""
    renderer: Renderer = request.app.state.pages
    return renderer, parts_of(request).store, renderer.language_of(request)


def moment(unix_ms: int | None, language: Language) -> str | None:
    """UTC ms in the server's own zone, in words."""
    return None if unix_ms is None else language.moment(datetime.fromtimestamp(unix_ms / 1000, UTC).astimezone())


def _now() -> int:
    return time.time_ns() // 1_000_000
