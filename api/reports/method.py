"""How to read a report, in plain language: the page that every one of them ends with. Words only."""

from api.few_operators import LEAST_OPERATORS
from api.i18n import Language
from api.reports.content import FEW_VOTES


def method(language: Language) -> list[tuple[str, str]]:
    """Heading and text of every paragraph."""
    _ = language.gettext
    return [
        (
            _("What is counted"),
            _(
                "A client who is called to a desk may press one of three buttons, once, while the service lasts: Bad, "
                "Good or Exemplary. Whoever presses nothing is counted as nothing. A call belongs to the local day on "
                "which the client was called. The operator does not see single votes."
            ),
        ),
        (
            _("Shares"),
            _(
                "A share is the votes of one rating divided by all votes. The scale has one negative and two positive "
                "steps, so “Good” and “Exemplary” are never added together, and no mean is made of them: the steps "
                "are not equally far apart."
            ),
        ),
        (
            _("Intervals"),
            _(
                "The interval beside a share (Wilson, 95%) says how far chance alone may have moved it. A wide "
                "interval means few votes. It knows nothing of those who did not vote, nor of what it means to rate a "
                "person who is watching."
            ),
        ),
        (
            _("Who did not vote"),
            _(
                "The response rate is votes divided by clients who could vote: those called and present, at a desk "
                "whose buttons were lit. Those who vote may think otherwise than those who do not. The worst case "
                "says what the share would be if all the silent ones had pressed this button, or none of them."
            ),
        ),
        *_limits(language),
    ]


def _limits(language: Language) -> list[tuple[str, str]]:
    _ = language.gettext
    small = _(
        "A share of fewer than %(votes)s votes is marked: it says next to nothing. A service behind which fewer than "
        "%(people)s operators stand is not shown, for its figures would be theirs; sometimes a second one is left out, "
        "so that the first cannot be had by taking the others away from the sum."
    )
    together = _(
        "What the report of a month leaves out, the reports of its quarter and year leave out, too: they are only "
        "allowed to show it if, whatever reports of months, quarters and years are taken away from each other, no "
        "figure of fewer than %(people)s operators is left over. Reports of single days and weeks are each looked at "
        "by themselves."
    )
    return [
        (
            _("Changes beyond noise"),
            _(
                "A report compares many figures, and among many some always move by chance. A change is only named if "
                "it is so large that all the comparisons of the report together would bring a false word in one "
                "report of twenty at most (Newcombe’s interval, Bonferroni’s correction). Whatever is not named did "
                "not change visibly; that is not to say that it stayed the same."
            ),
        ),
        (
            _("Small numbers"),
            small % {"votes": language.number(FEW_VOTES), "people": language.number(LEAST_OPERATORS)}
            + " "
            + together % {"people": language.number(LEAST_OPERATORS)},
        ),
        (
            _("What these figures cannot say"),
            _(
                "They say how clients who chose to vote found the service at the desk. They say nothing of "
                "information, opening hours or trust, and they are no ranking: branches and services differ in what "
                "clients come for. Under point 4.8 of the order they are no ground for disciplinary or other "
                "penalties."
            ),
        ),
    ]
