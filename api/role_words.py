"""Roles, limits and purposes in the reader's words. The rules are api/access/roles.py's."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from api.i18n import Language
from collector.store import Limits, Register
from schemas.register_names import known_by


def role_names(language: Language) -> dict[str, str]:
    """Every role's name, in the order of the access matrix."""
    _ = language.gettext
    return {
        "head_of_centre": _("Head of the centre"),
        "head_of_branch": _("Head of a branch"),
        "participant_head": _("Head of an organisation that takes part"),
        "city_leadership": _("Leadership of the city"),
        "media_department": _("Media department"),
        "quality_department": _("Legal policy and quality department"),
        "it_department": _("IT department"),
        "operator": _("Operator"),
        "staff_representative": _("Representative of the staff"),
        "assessor": _("Assessor"),
        "administrator": _("Administrator of accounts"),
    }


def role_descriptions(language: Language) -> dict[str, str]:
    """What each role may see, in one sentence with the point of the order that says so."""
    _ = language.gettext
    return {
        "head_of_centre": _("All figures; of operators for a purpose of point 4.7, with a line in the access log."),
        "head_of_branch": _("The same of the own branch only (points 4.1 and 4.7)."),
        "participant_head": _("The own direction, and own employees while they are employed (point 4.7.2)."),
        "city_leadership": _("Figures by branch and direction; by operator on a recorded order only (point 4.3)."),
        "media_department": _("Results on request; its consent is needed for what goes to the media (point 4.4)."),
        "quality_department": _("Results on request, out of the register of requests (point 4.4)."),
        "it_department": _("How the pads are and what is asked of them; no figures (point 3.3)."),
        "operator": _("The own branch and oneself, for months that are over and have enough votes."),
        "staff_representative": _("Who read what about whom and why (point 4.8); no figures."),
        "assessor": _("Figures of the centre, its branches and directions; of no operator."),
        "administrator": _("Accounts and tokens; no figures."),
    }


def purpose_names(language: Language) -> dict[str, str]:
    """Every purpose of point 4.7 of the order by its id, in the order's own order."""
    _ = language.gettext
    return {
        "analysis": _("analysis of the work"),
        "improvement": _("measures of improvement"),
        "duties_review": _("review of the administrators’ duties"),
        "cooperation_review": _("review of the participants’ representatives under cooperation agreements"),
        "encouragement": _("bonus and encouragement"),
    }


def limit_words(limits: Limits, register: Register, language: Language) -> list[tuple[str, str]]:
    """(what, which) of each limit, with the names of today."""
    _ = language.gettext
    found = []
    for part, title in (
        ("branches", _("Branch")),
        ("participants", _("Organisation")),
        ("directions", _("Direction")),
    ):
        ids: frozenset[str] | None = getattr(limits, part)
        if ids is not None:
            found.append((title, ", ".join(names_of(register, part, ids, language))))
    if limits.operator is not None:
        found.append((_("Operator"), limits.operator))
    return found


def names_of(register: Register, part: str, ids: Iterable[str], language: Language) -> list[str]:
    """Names of branches, organisations or directions; the id of what is in the register no more."""
    today: date = datetime.now(UTC).date()
    known: dict[str, Any] = {each.id: language.name_of(each) for each in known_by(register, part, today)}
    return [known.get(each, each) for each in sorted(ids)]


def weak_words(language: Language) -> dict[str, str]:
    """Why a new password is not taken."""
    _ = language.gettext
    return {
        "short": _("It needs 12 characters or more. Several words are easy to keep in mind."),
        "long": _("It is longer than 200 characters."),
        "same": _("It repeats the same few characters."),
        "row": _("It is a row of neighbouring characters."),
        "known": _("It is made of your own name, your login or a word that everybody tries first."),
        "again": _("It must be another one than before."),
        "differ": _("The two new passwords are not the same."),
        "wrong": _("The present password is wrong."),
        "slow": _("Too many attempts. Wait a minute, then try again."),
        "busy": _("Many people sign in just now. Try again in a moment."),
    }


def sign_in_problems(language: Language) -> dict[str, str]:
    """Why nobody is signed in yet, by the word that the sign-in page's address has."""
    _ = language.gettext
    return {
        "refused": _("Login or password is wrong, or the account is closed."),
        "slow": _("Too many attempts. Wait a minute, then try again."),
        "busy": _("Many people sign in just now. Try again in a moment."),
        "ended": _("You are signed out on every device."),
        "away": _("The office’s sign-in does not answer. Try again in a moment."),
        "denied": _("The office’s sign-in did not let you in."),
        "invalid": _("That sign-in took too long or was begun elsewhere. Try once more."),
        "no_role": _("The office knows you, but no role here is yours. Ask the administrator of accounts."),
    }


def outcome_words(language: Language) -> dict[str, str]:
    """What came of an attempt to sign in."""
    _ = language.gettext
    return {
        "ok": _("signed in"),
        "wrong": _("wrong password"),
        "unknown": _("unknown login"),
        "disabled": _("account closed"),
        "expired": _("handed-over password too old"),
        "no_role": _("no role"),
    }
