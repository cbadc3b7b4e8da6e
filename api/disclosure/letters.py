"""Answer, refusal, notice and receipt as documents: which words stand where. The setting is letter.typ's.

Every paper says which request it is about, and every figure comes with n, period, interval and method (order 4.4). A
refusal says why, who is responsible and where to complain (law 2939-VI art. 22).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.disclosure.case import Case
from api.disclosure.rules import SPOKEN
from api.disclosure.words import class_words, form_words, kind_words
from api.i18n import Language
from api.printing import pdf
from api.publication.rules import MIN_VOTES
from schemas.disclosure_figures import FrozenFigures, FrozenRow
from schemas.disclosure_resources import NewPaper
from schemas.register import Organisation

TEMPLATE = Path(__file__).parent / "letter.typ"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a paper is made from."""

    case: Case
    paper: NewPaper
    organisation: Organisation
    branch: str | None  # its name in the language of the paper
    person: tuple[str, str] | None
    figures: FrozenFigures | None
    made_at: datetime  # aware


def printed(letter: Letter, language: Language, zone: ZoneInfo) -> bytes:
    """The paper as PDF."""
    return pdf(TEMPLATE, data_of(letter, language, zone), letter.made_at)


def data_of(letter: Letter, language: Language, zone: ZoneInfo) -> dict[str, Any]:
    """Everything that letter.typ sets, in the words of ``language``."""
    _ = language.gettext
    titles = {
        "receipt": _("Receipt for a request"),
        "answer": _("Answer to a request"),
        "refusal": _("Refusal of a request"),
        "notice": _("Notice of a longer time limit"),
    }
    name = letter.case.request.name
    return {
        "lang": language.code,
        "title": _("%(title)s No. %(number)s") % {"title": titles[letter.paper.kind], "number": name},
        "organisation": language.name_of(letter.organisation),
        "place_and_date": language.day(letter.made_at.astimezone(zone).date()),
        "to": [each for each in letter.person or () if each],
        "about": _about(letter, language, zone),
        "paragraphs": [*_paragraphs(letter.paper.text), *_fixed(letter, language, zone)],
        "table": _table(letter.figures, language) if letter.figures else None,
        "closing": _closing(letter, language),
        "sign": {"who": letter.paper.signed_by, "label": _("signature")} if letter.paper.signed_by else None,
        "footer": _("Request %(number)s") % {"number": name}
        + (" · " + _("Simulated data.") if letter.organisation.simulated else ""),
    }


def _about(letter: Letter, language: Language, zone: ZoneInfo) -> list[list[str]]:
    _ = language.gettext
    request = letter.case.request
    received = datetime.fromtimestamp(request.received_unix_ms / 1000, UTC).astimezone(zone)
    came = {"when": language.moment(received), "form": form_words(language)[request.form]}
    rows = [
        [_("Received"), _("%(when)s, %(form)s") % came],
        [_("What it is"), kind_words(language)[request.kind]],
        [language.pgettext("sender", "From"), class_words(language)[request.requester_class]],
        [_("About"), letter.branch or _("The whole centre")],
    ]
    if request.legal_basis:
        rows.append([_("Legal basis"), request.legal_basis])
    rows.append([_("In the words of the request"), request.subject])
    return rows


def _paragraphs(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").replace("\r\n", "\n").split("\n\n") if each.strip()]


def _fixed(letter: Letter, language: Language, zone: ZoneInfo) -> list[str]:
    """The sentences that a paper of its kind always has."""
    _ = language.gettext
    case = letter.case
    due = case.due.at
    if letter.paper.kind == "receipt":
        if due is None:
            return [_("Your request has been registered. No law sets a time limit for its answer.")]
        if case.due.rule == "urgent":
            by_hour = _("Your request has been registered. It is answered by %(when)s.")
            return [by_hour % {"when": language.moment(due)}]
        last = case.due.last_day
        assert last is not None
        by_day = _("Your request has been registered. It is answered on %(day)s at the latest.")
        return [by_day % {"day": language.day(last)}]
    if letter.paper.kind == "notice":
        extended = _("The time limit of your request is extended to twenty working days from its receipt.")
        appeal = _("You may complain about this to the head of the centre or to a court.")
        return [extended, appeal]
    return []


def _closing(letter: Letter, language: Language) -> list[str]:
    _ = language.gettext
    if letter.paper.kind == "receipt" and letter.case.request.form in SPOKEN:
        said = _(
            "You asked in spoken words, so this receipt says what was understood."
            " Please tell us if it is not what you meant."
        )
        return [said]
    if letter.paper.kind == "refusal":
        appeal = _(
            "You may complain about this refusal to the head of the centre, to the Ukrainian Parliament Commissioner"
            " for Human Rights, or to a court (law 2939-VI, art. 23)."
        )
        return [appeal]
    if letter.figures is None:
        return []
    notice = _("Under point 4.8 of the order the results may not be a basis for disciplinary or other penalties.")
    return [notice] if letter.figures.by == "operator" else []


# ---- figures
def _table(figures: FrozenFigures, language: Language) -> dict[str, Any]:
    _ = language.gettext
    head = [
        _("Period and place"),
        _("Clients called"),
        _("Could vote"),
        _("Votes"),
        language.pgettext("rating", "Bad"),
        language.pgettext("rating", "Good"),
        language.pgettext("rating", "Exemplary"),
    ]
    between = {"first": language.day(figures.first), "last": language.day(figures.last)}
    return {
        "title": _("Ratings from %(first)s to %(last)s") % between,
        "head": head,
        "rows": [_cells(row, figures, language) for row in figures.rows],
        "notes": _method(figures, language),
    }


def _cells(row: FrozenRow, figures: FrozenFigures, language: Language) -> list[str | list[str]]:
    """A row: its name, then numbers; a share has its interval beneath it. Of a row that is withheld only the reason."""
    _ = language.gettext
    when = language.period(row.first, figures.period)
    place = language.name_of(row)
    title = when if figures.by == "centre" else f"{place}, {when}"
    if row.withheld is not None:
        return [title, why_withheld(row.withheld, language)]
    assert row.calls is not None and row.eligible_calls is not None and row.votes is not None
    amounts = [language.number(each) for each in (row.calls, row.eligible_calls, row.votes)]
    shares: list[str | list[str]] = []
    for figure in (row.bad, row.good, row.exemplary):
        if figure is None or figure.share is None or figure.low is None or figure.high is None:
            shares.append("–")
        else:
            shares.append([language.share(figure.share), language.interval(figure.low, figure.high)])
    return [title, *amounts, *shares]


def why_withheld(code: str, language: Language) -> str:
    """Why a cell has no numbers, in words."""
    _ = language.gettext
    words = {
        "small": _("fewer than %(n)s votes: no share is given") % {"n": MIN_VOTES},
        "few_operators": _("served by fewer than three people: not published"),
        "secondary": _("not published, because another cell could be worked out from it"),
        "all_equal": _("all votes alike: not published"),
    }
    return words[code]


def _method(figures: FrozenFigures, language: Language) -> list[str]:
    _ = language.gettext
    made = figures.made_at
    where = (
        _("The figures are those published in edition %(edition)s.") % {"edition": figures.source}
        if figures.source != "figures"
        else _("The figures are as they stood on %(day)s and are kept with this letter.")
        % {"day": language.day(made.date())}
    )
    method = _(
        "Shares of votes, beneath them the 95% interval (Wilson). It covers chance only, not who chose to vote."
        " A client could vote if called, present, and at a desk with a lit pad."
        " Votes are given by clients who wish to, once per call."
    )
    return [method, where]
