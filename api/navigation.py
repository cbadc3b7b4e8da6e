"""The menu: every page with its group and the scopes it needs. It decides nothing: the routes have marks of their own.

A new page is a line here, in the place where a reader looks for it. Nobody is shown the way to a page that refuses him.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from api.i18n import Language

LIVE_SCOPES = ("figures", "devices")  # what the stream behind the Live page asks for


@dataclass(frozen=True)
class Entry:
    """One page of the menu. ``name`` is the first part of its address, and so of those beneath it."""

    name: str
    title: str
    scopes: tuple[str, ...]
    only_with_bench: bool = False
    only_for_operators: bool = False  # whose account is of one operator in the register

    @property
    def href(self) -> str:
        return f"/{self.name}"


@dataclass(frozen=True)
class Group:
    title: str
    entries: tuple[Entry, ...]


# Pages that stand beneath another one although their address begins otherwise.
BENEATH = {"branches": "overview", "directions": "overview", "updates": "devices"}


def menu(language: Language, scopes: Collection[str], *, has_bench: bool, is_operator: bool = False) -> list[Group]:
    """What a reader with ``scopes`` may open, in the order of the menu; groups without a page are left out."""
    found = []
    for group in _groups(language):
        entries = tuple(
            entry
            for entry in group.entries
            if set(entry.scopes) <= set(scopes)
            and (has_bench or not entry.only_with_bench)
            and (is_operator or not entry.only_for_operators)
        )
        if entries:
            found.append(Group(group.title, entries))
    return found


def first_page(
    language: Language, scopes: Collection[str], *, has_bench: bool, is_operator: bool = False
) -> str | None:
    """Where a reader begins: the first page he may open."""
    groups = menu(language, scopes, has_bench=has_bench, is_operator=is_operator)
    return groups[0].entries[0].href if groups else None


def _groups(language: Language) -> Iterator[Group]:
    _ = language.gettext
    yield Group(_("About you"), (Entry("my-figures", _("My figures"), ("figures",), only_for_operators=True),))
    yield Group(
        _("Figures of the centre"),
        (
            Entry("overview", _("Overview"), ("figures",)),
            Entry("figures", _("Figures"), ("figures",)),
            Entry("operators", _("Operators"), ("figures", "operators")),
            Entry("signals", _("Signals"), ("signals",)),
        ),
    )
    yield Group(
        _("For others"),
        (
            Entry("reports", _("Reports"), ("reports",)),
            Entry("requests", _("Requests"), ("disclose",)),
            Entry("evidence", _("Evidence"), ("evidence",)),
        ),
    )
    yield Group(
        _("Desks and pads"),
        (
            Entry("live", _("Live"), LIVE_SCOPES),
            Entry("devices", _("Devices"), ("devices",)),
            Entry("report", _("No lights?"), ("report",)),
            Entry("try", _("Try a pad"), ("try", *LIVE_SCOPES), only_with_bench=True),
        ),
    )
    yield Group(
        _("Who reads what"),
        (
            Entry("orders", _("Orders"), ("disclose",)),
            Entry("access-log", _("Access log"), ("access_log",)),
        ),
    )
    yield Group(
        _("Office"),
        (
            Entry("register", _("Register"), ("register",)),
            Entry("people", _("People"), ("users",)),
            Entry("tokens", _("Tokens"), ("users",)),
        ),
    )
    yield Group(
        _("For everybody"),
        (
            Entry("public", _("For citizens"), ()),
            Entry("open-data", _("Open data"), ()),
        ),
    )
