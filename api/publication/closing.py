"""A month is closed: its edition is decided and published, and with it the quarter or year that it completes.

    plan(...)      what would be published, and what withheld: nothing is written (a trial)
    publish(...)   publishes a plan
    late(...)      months whose figures have changed since they were published

A correction is a plan too: a new edition of the month and of every longer period that holds it, with a reason. Nothing
is ever corrected by itself. And what changed is a figure as well: it is refused as long as it is too small a one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from api.errors import NotNow
from api.publication import cover
from api.publication.clustered import design_effects
from api.publication.contents import METHOD_VERSION, RULESET, Basis, days_of, packed, unpacked, written
from api.publication.sheets import CENTRE, Atom, Sheet
from collector.store import Counted, Edition, NewEdition, OutOfTurn, Register, Store
from schemas.periods import Period, day_date, day_key, day_of, period_name
from schemas.register_names import by_id, in_days
from schemas.register_rules import begins, ends

# A period has one name: digits of another alphabet would make a second, unchecked edition of the same month.
_MONTH = re.compile(r"2[01][0-9]{2}-(0[1-9]|1[0-2])")


class NotToBeClosed(NotNow):
    """The month cannot be closed, or corrected, as things stand."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One edition that would be published."""

    sheet: Sheet
    basis: Basis


@dataclass(frozen=True, slots=True)
class Plan:
    """``gave_up``: nothing of it could be published without giving something else away, so all of it is withheld."""

    editions: tuple[Planned, ...]
    register: Register
    revision: int
    reason: str = ""
    gave_up: bool = False


@dataclass(frozen=True, slots=True)
class Late:
    """A month whose votes are ``votes`` more, or fewer, than its edition says, and eligible calls ``eligible``."""

    edition: Edition
    votes: int
    eligible: int


def plan(store: Store, month: str, now_unix_ms: int, *, reason: str = "") -> Plan:
    """Decides what closing ``month`` ("2026-11") publishes, or with ``reason`` what correcting it does.

    Raises NotToBeClosed.
    """
    if not _MONTH.fullmatch(month):
        raise NotToBeClosed("That is not a month like 2026-11.")
    revision, register = store.book.whole()
    first, last = days_of(month)
    if not is_over(register, last, now_unix_ms):
        raise NotToBeClosed(f"{month} is not over yet in every branch.")
    counted = store.editions.counted(day_key(first), day_key(last))
    _require_all(store, month, counted, day_key(first), day_key(last))
    return planned(store, register, revision, month, counted, reason=reason)


def planned(
    store: Store, register: Register, revision: int, month: str, counted: Iterable[Counted], *, reason: str = ""
) -> Plan:
    """The same for counts that are known already. Raises NotToBeClosed."""
    known = _Known(store, int(month[:4]))
    latest = known.latest(month)
    if latest and not reason:
        raise NotToBeClosed(f"{month} is published already; a correction needs a reason.")
    if reason and not latest:
        raise NotToBeClosed(f"{month} is not published yet, so there is nothing to correct.")
    atoms = tuple(Atom(*each[1:]) for each in counted)
    if not atoms:
        raise NotToBeClosed(f"No client was called in {month}.")
    drafts = [_month(register, month, latest.number + 1 if latest else 1, atoms)]
    if latest:
        _require_publishable_change(latest, drafts[0].sheet)
    for longer in (Period.QUARTER, Period.YEAR):
        drafts += known.completed(register, longer, drafts)
    decided = cover.decide([*known.sheets.values(), *(each.sheet for each in drafts)])
    if latest and decided.gave_up:
        raise NotToBeClosed("Nothing could be corrected without giving away what was withheld. It must wait.")
    editions = tuple(replace(each, sheet=each.sheet.decided(decided.codes[each.sheet.name])) for each in drafts)
    return Plan(editions, register, revision, reason, decided.gave_up)


def publish(store: Store, made: Plan, *, by: str, now_unix_ms: int) -> list[Edition]:
    """Publishes every edition of a plan, all or none. Raises NotToBeClosed if somebody else was faster."""
    try:
        return store.editions.publish(
            [_new(store, each, made, by=by, now_unix_ms=now_unix_ms) for each in made.editions]
        )
    except OutOfTurn as error:
        raise NotToBeClosed(f"Somebody else was faster: {error}.") from None


def late(store: Store, now_unix_ms: int, *, months: int = 13) -> list[Late]:
    """Published months, of the last ``months``, of which more or fewer votes are known by now."""
    this_year = day_date(day_of(now_unix_ms, "UTC")).year
    found = []
    for year in (this_year - 1, this_year):
        for edition, sheet in _Known(store, year).holding():
            first, last = days_of(edition.period)
            tally = sheet.sums[CENTRE].tally
            rows = store.rollups("branch", day_key(first), day_key(last), period=Period.MONTH)
            votes = sum(row.bad + row.good + row.exemplary for row in rows) - tally.votes
            eligible = sum(row.eligible for row in rows) - tally.eligible
            if votes or eligible:
                found.append(Late(edition, votes, eligible))
    return found[-months:]


def last_month(now_unix_ms: int, timezone: str) -> str:
    """The name of the month before the running one."""
    today = day_date(day_of(now_unix_ms, timezone))
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year:04}-{month:02}"


def is_over(register: Register, last: date, now_unix_ms: int) -> bool:
    return all(day_date(day_of(now_unix_ms, branch.timezone)) > last for branch in register.branches)


def _new(store: Store, each: Planned, made: Plan, *, by: str, now_unix_ms: int) -> NewEdition:
    return NewEdition(
        period=each.sheet.period,
        number=each.sheet.number,
        made_unix_ms=now_unix_ms,
        made_by=by,
        reason=made.reason,
        revision=made.revision,
        ruleset=RULESET,
        method=METHOD_VERSION,
        content=written(
            each.sheet,
            made.register,
            design_effects(store, each.sheet),
            revision=made.revision,
            reason=made.reason,
            now_unix_ms=now_unix_ms,
        ),
        basis=packed(each.basis, each.sheet.codes),
    )


def _month(register: Register, month: str, number: int, atoms: tuple[Atom, ...]) -> Planned:
    first, last = days_of(month)
    basis = Basis(
        _directions(register, last),
        branches=_there(register.branches, first, last),
        services=_there(register.services, first, last),
        atoms=atoms,
    )
    return Planned(basis.sheet(month, number, {}), basis)


def _require_all(store: Store, month: str, counted: Iterable[Counted], first_day: int, last_day: int) -> None:
    """An edition is made of rows, and of an archived month there are none left, or those of its last night only."""
    rows = store.rollups("branch", first_day, last_day)
    known = sum(row.calls for row in rows), sum(row.bad + row.good + row.exemplary for row in rows)
    found = sum(each.calls for each in counted), sum(each.bad + each.good + each.exemplary for each in counted)
    if known != found:
        raise NotToBeClosed(
            f"Of {month} {known[0]} calls and {known[1]} votes are counted, and {found[0]} and {found[1]} are at "
            "hand. If the month is archived, put it back first; else try again."
        )


def _require_publishable_change(before: Sheet, after: Sheet) -> None:
    """A correction through which the votes of one operator, or of a few clients, could be seen is no correction."""
    if cover.is_unsafe_change(before, after):
        raise NotToBeClosed(
            "What would change is too small a figure to be published itself: fewer than ten votes, or of fewer than "
            "three operators. It must wait until more has changed."
        )


class _Known:
    """The editions of a year as sheets."""

    def __init__(self, store: Store, year: int):
        self.sheets: dict[str, Sheet] = {}
        self._editions: dict[str, Edition] = {}
        for edition, packed_basis in store.editions.bases(year):
            basis, codes = unpacked(packed_basis)
            sheet = basis.sheet(edition.period, edition.number, self.sheets).decided(codes)
            self.sheets[sheet.name] = sheet
            self._editions[sheet.name] = edition
        months = store.rollups("branch", 20000101, year * 10000 + 1231, period=Period.MONTH)
        self._with_calls = {row.day for row in months}

    def latest(self, period: str) -> Sheet | None:
        of_period = [sheet for sheet in self.sheets.values() if sheet.period == period]
        return max(of_period, key=lambda sheet: sheet.number, default=None)

    def holding(self) -> list[tuple[Edition, Sheet]]:
        """The months' editions that hold."""
        months = {sheet.period for sheet in self.sheets.values() if not sheet.parts}
        newest = [sheet for month in sorted(months) if (sheet := self.latest(month))]
        return [(self._editions[sheet.name], sheet) for sheet in newest]

    def completed(self, register: Register, longer: Period, drafts: Sequence[Planned]) -> list[Planned]:
        """The quarter or year that the month of ``drafts`` completes, or changes by a correction."""
        month = drafts[0].sheet
        first, _ = days_of(month.period)
        period = period_name(first, longer)
        begins_on, last = days_of(period)
        wanted = [f"{begins_on.year}-{number:02}" for number in range(begins_on.month, last.month + 1)]
        sheets = {name: sheet for name in wanted if (sheet := month if name == month.period else self.latest(name))}
        missing = [name for name in wanted if name not in sheets and not self._had_no_call(name)]
        before = self.latest(period)
        if missing or (before is not None and month.number == 1):
            return []
        parts = {sheet.name: sheet for sheet in sheets.values()}
        basis = Basis(_directions(register, last), parts=tuple(parts))
        return [Planned(basis.sheet(period, before.number + 1 if before else 1, parts), basis)]

    def _had_no_call(self, month: str) -> bool:
        """Of a month in which the office was closed: it cannot be published, and nothing waits for it.

        A quarter or year in the middle of which the office began is not published: it would not be one.
        """
        number = int(month.replace("-", ""))
        known = self._with_calls
        return bool(known) and min(known) < number < max(known) and number not in known


def _directions(register: Register, day: date) -> Mapping[str, str]:
    return {
        service: row.direction
        for service, rows in by_id(register.services).items()
        if (row := in_days(rows, day, day)[0]).direction
    }


def _there(rows: Iterable[object], first: date, last: date) -> tuple[str, ...]:
    """Ids of what is valid on any day of the period, in the register's order."""
    return tuple(
        name for name, mine in by_id(rows).items() if any(begins(row) <= last and first <= ends(row) for row in mine)
    )
