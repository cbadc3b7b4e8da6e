"""What signals there are: what each looks at, why it may mean nothing, its null model, threshold and test (6.6).

The texts are message ids: a page or an answer shows them in its reader's language. Operators may know that checks
exist; thresholds are not shown to them (domain study 6.6).
"""

from collections.abc import Callable
from dataclasses import dataclass

from api.integrity import devices, levels, rhythm, silence, votes
from api.integrity.found import Found
from api.integrity.month import Month


def _(message: str) -> str:
    """Marks a text for the catalogues; whoever shows it has it translated."""
    return message


@dataclass(frozen=True, slots=True)
class Signal:
    """``device``: about a pad, so the IT department may see it. ``missing``: what data it lacks; then no ``test``."""

    id: str
    name: str
    looks_at: str
    innocent: tuple[str, ...]
    null_model: str
    threshold: str
    test: Callable[[Month], list[Found]] | None
    device: bool = False
    missing: str = ""


_PEERS = _("Like peers with the same services in the same branch, who also differ among themselves (beta-binomial).")
_COUNTS = _("Like the other pads or peers, who also differ among themselves (negative binomial).")

SIGNALS = (
    Signal(
        "fast_vote",
        _("Votes at once"),
        _("Votes within 20 seconds of the call and sooner than 99% of the peers’ votes in the same service."),
        (_("a short enquiry"), _("a client who knows the pad and votes while sitting down")),
        _PEERS,
        _("20 seconds, or the peers’ first percentile if that is less; at least 5 more such votes than expected."),
        votes.fast_votes,
    ),
    Signal(
        "last_second_vote",
        _("Top votes in the last seconds"),
        _("Exemplary votes given within 3 seconds of the call’s end."),
        (_("the client was told at the end that one may vote now, a usual moment"),),
        _PEERS,
        _("Within 3 seconds of the end; at least 5 more such votes than expected."),
        votes.last_second_votes,
    ),
    Signal(
        "empty_service",
        _("Votes where nobody was served"),
        _("Votes in calls that were over within 15 seconds or in which nobody came."),
        (_("a test of the system"), _("a client who only said thanks for an earlier visit")),
        _PEERS,
        _("A call shorter than 15 seconds, or an outcome without a client; at least 5 more than expected."),
        votes.empty_service_votes,
    ),
    Signal(
        "burst",
        _("Presses at machine-like spacing"),
        _("Three successive calls with votes whose gaps are alike to a second or shorter than half a minute."),
        (_("rush hour with very short matters"), _("a queue system that tells of several calls at once")),
        _PEERS,
        _("At least 3 more such triples than expected."),
        rhythm.bursts,
    ),
    Signal(
        "long_run",
        _("A long run of one rating"),
        _("The longest run of the same rating in a row."),
        (_("where nine of ten votes are exemplary, runs of thirty are usual"), _("an excellent week")),
        _("Independent votes at the own rate or the peers’, whichever explains the run better."),
        _("A probability below 0.001."),
        rhythm.long_runs,
    ),
    Signal(
        "silent_calls",
        _("Many silent calls"),
        _("A low share of eligible calls with a vote, against peers or against the two months before."),
        (
            _("services whose clients vote less"),
            _("elderly clients"),
            _("a fault of the pad that nobody has reported"),
        ),
        _PEERS,
        _("At least 10 points below what is expected, or below before."),
        silence.silent_calls,
    ),
    Signal(
        "selective_silence",
        _("Silence where clients were kept long"),
        _("A response rate that falls in long services by more than it does with the peers."),
        (_("weariness"), _("clients in a hurry after a long service")),
        _("The same fall as with the peers, who also differ among themselves (interaction test)."),
        _("A fall that is at least 10 points deeper than the peers’."),
        silence.selective_silence,
    ),
    Signal(
        "rate_score_coupling",
        _("Fewer votes, better votes"),
        _("Over weeks, the share of exemplary votes rises as the response rate falls."),
        (_("the season’s mix of services"), _("other opening hours")),
        _("No correlation between both over 8 to 26 weeks, once the centre’s own movement is taken out."),
        _("A negative correlation; response rates that move by 5 points or more."),
        silence.rate_score_coupling,
    ),
    Signal(
        "zero_bad",
        _("No bad vote among very many"),
        _("Not one bad vote where peers with the same services would have had several."),
        (_("an excellent clerk"),),
        _PEERS,
        _("No bad vote where at least 5 are expected."),
        levels.zero_bad,
    ),
    Signal(
        "repeats",
        _("Many further presses"),
        _("Presses after the first one of the same call, which the pad ignores, per vote."),
        (_("a child"), _("a client unsure whether the press was taken"), _("a worn button")),
        _COUNTS,
        _("At least 10 more than expected."),
        devices.repeats,
        device=True,
    ),
    Signal(
        "no_call_presses",
        _("Presses without a client"),
        _("Presses at a desk to which nobody was called, per day. The time of day is not known."),
        (_("cleaning"), _("curiosity"), _("a worn button")),
        _COUNTS,
        _("At least 10 more than expected."),
        devices.no_call_presses,
        device=True,
    ),
    Signal(
        "console_shadow",
        _("Trouble of pads on somebody’s days"),
        _("Faults of pads, or calls without a lit pad, that begin on one operator’s days more often than on others’."),
        (_("a cable under the desk"), _("who comes first switches the desk on and finds the fault"), _("chance")),
        _("Each desk’s bad days fall on its days at random (hypergeometric, desk by desk)."),
        _("At least 3 more days than expected."),
        devices.console_shadow,
        device=True,
    ),
    Signal(
        "divergence",
        _("Votes against other sources"),
        _("High votes where surveys, mystery visits or complaints say otherwise."),
        (_("the sources ask different people"),),
        _("Both sources agree within their intervals."),
        _("None yet."),
        None,
        missing=_("There are no surveys, mystery visits or complaints in this system yet, so nothing is computed."),
    ),
)
BY_ID = {signal.id: signal for signal in SIGNALS}
