"""Why somebody may look at an operator's figures: the closed list of order P4.7, and the notice of P4.8.

Discipline is not in the list and no setting can add it. A desk counts as an operator here: mostly one clerk sits there.
"""

from dataclasses import dataclass

from api.errors import UnknownPurpose

OPERATOR_CUTS = ("operator", "desk")


@dataclass(frozen=True)
class Purpose:
    id: str
    clause: str  # its points of the order; its words in every language are in api/role_words.py


PURPOSES = {
    purpose.id: purpose
    for purpose in (
        Purpose("analysis", "4.7.1, 4.7.2"),
        Purpose("improvement", "4.7.1, 4.7.2"),
        Purpose("duties_review", "4.7.1"),
        Purpose("cooperation_review", "4.7.1"),
        Purpose("encouragement", "4.7.2"),
    )
}
NOTICE = (
    "Згідно з пунктом 4.8 Порядку результати оцінювання не можуть бути підставою для дисциплінарних чи інших стягнень. "
    "Кожне звернення до цих даних записується разом із метою."
)
NOTICE_EN = (
    "Under point 4.8 of the order the results may not be a basis for disciplinary or other penalties. "
    "Every reading of these data is recorded with its purpose."
)


def checked_purpose(purpose: str | None) -> Purpose:
    """The purpose with this id. Raises UnknownPurpose, which cites the order, for none and for any other."""
    found = PURPOSES.get(purpose or "")
    if found is None:
        said = "No purpose is named" if not purpose else "That is not a purpose of point 4.7 of the order"
        raise UnknownPurpose(
            f"{said}; it may be one of {', '.join(PURPOSES)}. "
            "Under point 4.8 the results may not be a basis for disciplinary or other penalties.",
            field="purpose",
        )
    return found
