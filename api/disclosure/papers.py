"""Makes a paper of a request and keeps it: figures first, then the document, then both in one row."""

from collections.abc import Mapping
from datetime import UTC, datetime

from api.disclosure.answers import figures_for
from api.disclosure.case import Case
from api.disclosure.desk import StepRefused, zone_of
from api.disclosure.letters import Letter, printed
from api.errors import BadQuestion
from api.i18n import SOURCE_LANGUAGE, Language
from collector.store import Register, Store, Token
from schemas.disclosure_resources import NewPaper
from schemas.register_names import by_id


def made_paper(
    store: Store, languages: Mapping[str, Language], token: Token, case: Case, paper: NewPaper, now_unix_ms: int
) -> int:
    """The id of a new paper. Raises StepRefused, ScopeMissing and BadQuestion before anything is made."""
    _check(case, paper)
    figures = figures_for(store, token, case, paper, now_unix_ms) if paper.kind == "answer" else None
    language = languages.get(case.request.language, languages[SOURCE_LANGUAGE])
    _, register = store.book.whole()
    letter = Letter(
        case=case,
        paper=paper,
        organisation=register.organisation,
        branch=_branch(register, case.request.branch, language),
        person=store.disclosures.person(case.request.id),
        figures=figures,
        made_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
    )
    content = printed(letter, language, zone_of(register))
    frozen = figures.model_dump_json(by_alias=True).encode() if figures else None
    keep = store.disclosures.keep
    return keep(case.request.id, paper.kind, content, frozen, language.code, token.name, now_unix_ms)


def _check(case: Case, paper: NewPaper) -> None:
    """A receipt may be printed again at any time; a letter is of an open request only."""
    if paper.kind == "receipt":
        return
    if case.state != "open":
        raise StepRefused("closed")
    if paper.kind == "refusal" and not paper.text:
        raise BadQuestion("A refusal says why (law 2939-VI art. 22).", field="text")
    if not paper.signed_by:
        raise BadQuestion("A letter names who signs it.", field="signed_by")
    if paper.kind == "notice" and (case.notice_due is None or not paper.text):
        raise BadQuestion("A notice is of a request that can be extended, and gives the reasons.", field="text")


def _branch(register: Register, branch: str | None, language: Language) -> str | None:
    rows = by_id(register.branches).get(branch or "")
    return language.name_of(rows[-1]) if rows else branch
