"""What is measured, in words: title, definition, source and caveats of every measure. No figure is made here."""

from dataclasses import dataclass
from typing import Literal

from api.i18n import Language


@dataclass(frozen=True)
class Measure:
    """``better``: None where neither more nor less is better in itself, so that no trend can be told."""

    id: str
    unit: Literal["share", "count", "seconds"]
    better: Literal["higher", "lower"] | None
    title: str
    definition: str
    source: str
    caveats: tuple[str, ...]


def measures(language: Language) -> dict[str, Measure]:
    """Every measure by its id, in the order in which they are shown."""
    found = (*_perceived(language), *_performed(language), *_managed(language))
    return {each.id: each for each in found}


def _perceived(language: Language) -> tuple[Measure, ...]:
    _ = language.gettext
    source = _("Three-button pads at the desks, one vote a call at most, joined with the calls of the queue.")
    who = _("Only those who chose to vote are heard: read it together with the response rate.")
    scale = _("One negative and two positive steps: not comparable with scales of two, four or five steps.")
    where = _("Clients rate at the desk, in front of the clerk: such ratings lie higher than others.")
    one = _("The trend is one of all three ratings together, by an ordinal test.")
    return (
        Measure(
            "exemplary",
            "share",
            "higher",
            _("Share of votes “Exemplary”"),
            _("Votes “Exemplary” divided by all votes of the period."),
            source,
            (who, scale, where, one),
        ),
        Measure(
            "bad",
            "share",
            "lower",
            _("Share of votes “Bad”"),
            _("Votes “Bad” divided by all votes of the period."),
            source,
            (who, scale, where, one),
        ),
        Measure(
            "good",
            "share",
            None,
            _("Share of votes “Good”"),
            _("Votes “Good” divided by all votes of the period."),
            source,
            (who, scale, where),
        ),
        Measure(
            "response",
            "share",
            None,
            _("Response rate"),
            _("Votes divided by the calls whose clients could vote."),
            source,
            (
                _(
                    "It says how far the ratings speak for all clients; it is no aim in itself, and nobody may be "
                    "urged to vote."
                ),
            ),
        ),
    )


def _performed(language: Language) -> tuple[Measure, ...]:
    _ = language.gettext
    queue = _("Events of the queue system.")
    few = _(
        "A service behind which fewer than three operators stand has no value here, for it would be theirs; nor has "
        "what would give such a value away, as in reports."
    )
    return (
        Measure(
            "handling",
            "seconds",
            None,
            _("Time of service"),
            _(
                "Mean seconds from the call of a client to the end of the service, of calls that ended by being "
                "finished."
            ),
            queue,
            (
                _("Shorter is not better in itself, and what clients come for changes: read it by service."),
                _("Waiting before the call is not in it: the queue’s issuing of tickets is not told to this system."),
                few,
                _("Calls that took longer than a day are not in it: somebody forgot to end them."),
                _("Months that were put into archive files before times were kept by month are not in it."),
            ),
        ),
        Measure(
            "lit",
            "share",
            "higher",
            _("Calls with a working pad"),
            _("Calls at which the pad was lit, divided by all calls."),
            _("The pads’ own confirmation within two seconds of a call, and operators’ reports."),
            (_("It measures whether clients could rate, not the service."),),
        ),
        Measure(
            "requests",
            "share",
            "higher",
            _("Requests for information answered in time"),
            _(
                "Requests closed in the period that were closed within the time that the law sets, divided by all "
                "closed."
            ),
            _("The register of requests for information, with the office’s own calendar."),
            (_("Requests that are still open are not in it."),),
        ),
        Measure(
            "served",
            "count",
            None,
            _("Clients served"),
            _("Calls whose clients came to the desk and were served; by service for the last period that is over."),
            queue,
            (_("How many come is demand, not achievement: no trend of it is better or worse."), few),
        ),
    )


def _managed(language: Language) -> tuple[Measure, ...]:
    _ = language.gettext
    exists = _("It proves that the step is taken, not that it is taken well.")
    return (
        Measure(
            "reports",
            "share",
            "higher",
            _("Monthly reports made in time"),
            _(
                "Monthly reports of the centre and of every branch that were made within the following month, divided "
                "by all that were due."
            ),
            _("Reports as they are kept, with the moment at which they were made."),
            (exists, _("Reports are made by the program; that somebody read them is not known.")),
        ),
        Measure(
            "targets",
            "count",
            None,
            _("Targets set"),
            _("Targets that were entered in the period, each before the period that it judges."),
            _("The register of targets."),
            (exists,),
        ),
        Measure(
            "editions",
            "count",
            None,
            _("Editions of open data published"),
            _("Editions of the figures that were published as open data in the period."),
            _("The editions as they were published."),
            (exists,),
        ),
    )
