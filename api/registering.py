"""A change of the register on its way in, for the api and the page alike: what it would do, and doing it.

It comes as a whole register or as CSV files; either is checked as a whole and taken as a whole or not at all.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api.auth import allowed
from api.errors import BadRequestBody, NoSuchThing, RegisterChanged, RegisterRefused
from collector.store import Declined, NotThere, Register, Stale, Store, Token
from schemas.register_csv import NAMES, CellFault, read_sheets
from schemas.register_diff import Change, differences
from schemas.register_rules import Fault, Unfit
from schemas.resources import FieldProblem

log = logging.getLogger("api")


@dataclass(frozen=True)
class Proposal:
    """A register that could take the place of the one of ``revision``; ``names`` of operators if they came along."""

    revision: int
    before: Register
    after: Register
    changes: list[Change]
    names: Mapping[str, str] | None = None

    @property
    def changes_nothing(self) -> bool:
        return not self.changes and self.names is None


def of_sheets(store: Store, files: Mapping[str, bytes], token: Token) -> Proposal:
    """What CSV files come to. Raises RegisterRefused, RegisterChanged for an old export, ScopeMissing for names."""
    if NAMES in files:
        allowed(token, ("names",))
    revision, before = store.book.whole()
    sheets = read_sheets(files, before)
    if sheets.register is None:
        raise RegisterRefused(
            [
                FieldProblem(parameter=_place(each), detail=each.text, rule=each.rule, about=each.about or None)
                for each in sheets.faults
            ]
        )
    if sheets.revision is not None and sheets.revision != revision:
        raise RegisterChanged(
            f"The export is of revision {sheets.revision}, and the register is at revision {revision} by now. "
            "Export anew and make your changes there."
        )
    return _proposal(store, revision, before, sheets.register, sheets.names)


def of_json(store: Store, body: bytes, expected: int) -> Proposal:
    """What a whole register as JSON comes to. Raises RegisterRefused, RegisterChanged."""
    revision, before = store.book.whole()
    if expected != revision:
        raise RegisterChanged(
            f"The register is at revision {revision} by now. Read it anew and make your changes there."
        )
    try:
        after = Register.model_validate_json(body)
    except ValidationError as error:
        raise RegisterRefused(problems_of(error)) from None
    return _proposal(store, revision, before, after, None)


def of_register(store: Store, after: Mapping[str, Any] | Register, revision: int, before: Register) -> Proposal:
    """What an edited register comes to. Raises RegisterRefused."""
    try:
        made = Register.model_validate(dict(after))
    except ValidationError as error:
        raise RegisterRefused(problems_of(error)) from None
    return _proposal(store, revision, before, made, None)


def carry_out(store: Store, proposal: Proposal, token: Token, how: Any, note: str = "") -> int:
    """Makes it the register; the revision. Raises RegisterChanged if somebody was faster."""
    try:
        number = store.book.save(
            proposal.after,
            author=token.name,
            how=how,
            note=note,
            expected=proposal.revision,
            names=proposal.names,
        )
    except Stale as error:
        raise RegisterChanged(_sentence(error)) from None
    except Declined as error:
        raise RegisterRefused([FieldProblem(parameter="", detail=str(error))]) from None
    log.info("register: %s of %d rows, now revision %d, by %s", how, len(proposal.changes), number, token.name)
    return number


def go_back(store: Store, number: int, token: Token, expected: int | None) -> int:
    """Makes an earlier register the register again; the new revision."""
    try:
        made = store.book.revert(number, author=token.name, expected=expected)
    except Stale as error:
        raise RegisterChanged(_sentence(error)) from None
    except NotThere as error:
        raise NoSuchThing(_sentence(error)) from None
    except Declined as error:
        raise RegisterRefused([FieldProblem(parameter="", detail=str(error))]) from None
    log.info("register: back to revision %d, now revision %d, by %s", number, made, token.name)
    return made


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """A problem a field at fault, with a JSON pointer (RFC 6901) to it."""
    found = []
    for each in error.errors(include_url=False, include_input=False):
        unfit = each.get("ctx", {}).get("error")
        if isinstance(unfit, Unfit):
            found += [
                FieldProblem(parameter=_pointer(fault), detail=fault.text, rule=fault.rule, about=fault.about)
                for fault in unfit.faults
            ]
        else:
            place = "".join(f"/{part}" for part in each["loc"])
            detail = each["msg"].removeprefix("Value error, ")
            found.append(FieldProblem(parameter=place, detail=detail, rule=f"bad_{each['type']}"))
    return found


def revision_of(header: str) -> int:
    """The revision that an If-Match header names. Raises BadRequestBody for anything but one strong tag."""
    text = header.strip()
    digits = text[1:-1] if len(text) > 2 and text[0] == text[-1] == '"' else ""
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise BadRequestBody('If-Match names the revision as its ETag did: If-Match: "7".')
    return int(digits)


def _proposal(
    store: Store, revision: int, before: Register, after: Register, names: Mapping[str, str] | None
) -> Proposal:
    lost = store.book.lost(after)
    if lost:
        said = "the {} {!r} has figures: keep its rows and close it with valid_to"
        raise RegisterRefused(
            [
                FieldProblem(
                    parameter=f"/{each.word}", detail=said.format(each.word, each.id), rule="has_figures", about=each.id
                )
                for each in lost
            ]
        )
    return Proposal(revision, before, after, differences(before, after), names)


def _place(fault: CellFault) -> str:
    return str(fault).removesuffix(fault.text).removesuffix(": ")


def _pointer(fault: Fault) -> str:
    return f"/{Register.model_fields[fault.part].alias or fault.part}/{fault.index}/{fault.field}"


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + "."
