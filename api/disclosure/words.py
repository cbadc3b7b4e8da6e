"""The words for classes, forms, kinds, states, entries and refusals, in the reader's language."""

from api.i18n import Language


def class_words(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "participant": _("Organisation that works in the centre"),
        "council": _("Leadership of the city council"),
        "executive": _("Leadership of the executive committee"),
        "media_department": _("Department of media relations"),
        "quality_department": _("Department of legal policy and quality"),
        "media": _("Media"),
        "citizen": _("Citizen"),
        "legal_person": _("Legal person"),
        "court": _("Court"),
        "investigator": _("Investigator"),
        "law_enforcement": _("Law enforcement"),
    }


def form_words(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "oral": _("oral"),
        "written": _("written, handed in"),
        "post": _("by post"),
        "email": _("by e-mail"),
        "phone": _("by telephone"),
        "fax": _("by fax"),
    }


def kind_words(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "information": _("Request for information"),
        "complaint": _("Complaint"),
        "proposal": _("Proposal"),
    }


def state_words(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "open": language.pgettext("request", "open"),
        "answered": _("answered"),
        "refused": _("refused"),
        "forwarded": _("passed on"),
        "withdrawn": _("withdrawn"),
    }


def paper_words(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "receipt": _("Receipt"),
        "answer": _("Letter of answer"),
        "refusal": _("Letter of refusal"),
        "notice": _("Notice of a longer time limit"),
    }


def step_words(language: Language) -> dict[str, str]:
    """What happened, as the list of a request says it."""
    _ = language.gettext
    return {
        "assigned": _("Given to somebody"),
        "consent_asked": _("Media department asked for consent"),
        "consent_given": _("Media department consented"),
        "consent_refused": _("Media department refused consent"),
        "extended": _("Time limit extended"),
        "decided": _("Decided on figures of operators"),
        "answered": _("Answered"),
        "refused": _("Refused"),
        "forwarded": _("Passed on"),
        "withdrawn": _("Withdrawn"),
        "noted": _("Note"),
        "corrected": _("Entry corrected"),
        "taken_back": _("Entry taken back"),
    }


def rule_words(language: Language) -> dict[str, str]:
    """Which time limit it is."""
    _ = language.gettext
    return {
        "working_days": _("5 working days (law 2939-VI, art. 20)"),
        "extended": _("20 working days, extended with notice (law 2939-VI, art. 20)"),
        "urgent": _("48 hours (law 2939-VI, art. 20)"),
        "month": _("one month (law on citizens’ appeals, art. 20)"),
        "simple": _("15 days (law on citizens’ appeals, art. 20)"),
        "most": _("45 days in all (law on citizens’ appeals, art. 20)"),
        "set": _("set by whoever asks"),
        "none": _("no time limit in law"),
    }


def problem_words(why: str, language: Language) -> str:
    """Why something cannot be entered: case.PROBLEMS in the reader's language."""
    _ = language.gettext
    return {
        "closed": _("The request is closed. Take back how it was closed first."),
        "no_consent_needed": _("Consent of the media department is for the media only (order 4.4)."),
        "consent_missing": _("Nothing is given to the media before the media department has consented (order 4.4)."),
        "consent_refused": _("The media department has refused its consent (order 4.4)."),
        "no_legal_basis": _(
            "A court or an investigator is answered on a legal basis: name it, by correcting the entry."
        ),
        "not_extendable": _("Only a request that is not urgent and has a time limit is extended, and only once."),
        "notice_too_late": _("The requester was not told within the first five working days, so the time limit stays."),
        "notice_in_the_future": _("The notice lies in the future, or before the request came."),
        "nothing_to_decide": _("A decision on operators’ figures is for requests of the public only."),
        "no_such_event": _("There is no such entry, or it was taken back already."),
        "nothing_said": _("An answer needs its letter, or what was said."),
    }[why]
