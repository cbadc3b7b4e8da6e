"""What the order and the law say about each class of requester, form and kind of a request. Data, with its sources.

Order 19/01-03-13/551: 4.4 (who is told, media with consent), 4.5 (citizens), 4.6 (courts and investigators).
Law 2939-VI on access to public information: art. 19 (any form, no reason needed), 20 (time limits), 22 (refusals).
Law 393/96 on citizens' appeals: art. 20, for what is written in the book of complaints and proposals.
"""

from dataclasses import dataclass

INFORMATION, COMPLAINT, PROPOSAL = KINDS = ("information", "complaint", "proposal")
FORMS = ("oral", "written", "post", "email", "phone", "fax")
# Spoken ones get a printed receipt: nobody has a copy of what they asked.
SPOKEN = frozenset({"oral", "phone"})


@dataclass(frozen=True, slots=True)
class RequesterClass:
    """``clock``: the law's time limit runs. ``consent``: of the media department, before anything is given (4.4).

    ``legal_basis``: must be named (4.6). ``outside``: gets what is published, in its whole cells; see answers.py.
    """

    id: str
    clause: str
    clock: bool
    consent: bool = False
    legal_basis: bool = False
    outside: bool = False


CLASSES = {
    each.id: each
    for each in (
        RequesterClass("participant", "4.4", clock=False),
        RequesterClass("council", "4.4", clock=False),
        RequesterClass("executive", "4.4", clock=False),
        RequesterClass("media_department", "4.4", clock=False),
        RequesterClass("quality_department", "4.4", clock=False),
        # The order wants consent, the law its answer in five days: the consent is asked for at once, the clock runs.
        RequesterClass("media", "4.4", clock=True, consent=True, outside=True),
        RequesterClass("citizen", "4.5", clock=True, outside=True),
        RequesterClass("legal_person", "4.5", clock=True, outside=True),
        RequesterClass("court", "4.6", clock=False, legal_basis=True),
        RequesterClass("investigator", "4.6", clock=False, legal_basis=True),
        RequesterClass("law_enforcement", "4.6", clock=False, legal_basis=True),
    )
}
# Operator-level figures: to these on their written request, by their own law (4.6) ...
BY_LAW = frozenset({"court", "investigator", "law_enforcement"})
# ... to these never in a letter: they read them themselves, with a purpose (4.7.2), or not at all.
NEVER_OPERATORS = frozenset({"participant", "council", "executive", "media_department", "quality_department"})
