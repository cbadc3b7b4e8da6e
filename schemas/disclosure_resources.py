"""The api's resources for requests for information: what is registered, what happened, what may happen next.

Moments are UTC. Texts are stripped; none may be empty where one is needed.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.periods import Period
from schemas.resources import Resource

Kind = Literal["information", "complaint", "proposal"]
Form = Literal["oral", "written", "post", "email", "phone", "fax"]
RequesterClassName = Literal[
    "participant",
    "council",
    "executive",
    "media_department",
    "quality_department",
    "media",
    "citizen",
    "legal_person",
    "court",
    "investigator",
    "law_enforcement",
]
PaperKind = Literal["receipt", "answer", "refusal", "notice"]
AnswerCut = Literal["centre", "branch", "direction", "service", "operator"]
# Within what any time zone's calendar can say: a request is only ever added to, so one that none can would stay.
Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2101, 1, 1, tzinfo=UTC))]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewRequest(Body):
    """Somebody asks. ``received_at`` is when it came, which may be before it is entered here."""

    kind: Kind = "information"
    requester_class: RequesterClassName
    form: Form
    language: LanguageCode = "uk"
    branch: Name | None = Field(None, description="the branch it is about; null: the whole centre")
    received_at: Moment
    subject: Subject
    urgent: bool = Field(False, description="life, health or an emergency: 48 hours (law 2939-VI art. 20 p. 2)")
    simple: bool = Field(False, description="a complaint or proposal that needs no study: 15 days")
    reasons: Note | None = Field(None, description="why it is urgent; needed if it is")
    legal_basis: Line | None = Field(None, description="courts, investigators, law enforcement (order 4.6)")
    due_at: Moment | None = Field(None, description="set by whoever asks, as a court does")
    person: Line | None = Field(None, description="who asks; kept apart and forgotten some time after the answer")
    contact: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] | None = Field(
        None, description="where the answer goes"
    )

    @model_validator(mode="after")
    def _urgency_is_reasoned(self) -> "NewRequest":
        if self.urgent and not self.reasons:
            raise ValueError("reasons: urgency must be reasoned (law 2939-VI art. 20 p. 3)")
        if self.urgent and self.kind != "information":
            raise ValueError("urgent: only a request for information is")
        return self


# ---- what may happen to a request
class Assigned(Body):
    to: Line


class ConsentAsked(Body):
    note: Note | None = None


class ConsentGiven(Body):
    reference: Line = Field(description="number and date of the media department's paper")


class ConsentRefused(Body):
    reference: Line
    reason: Note


class Extended(Body):
    reason: Note
    notice_sent_at: Moment = Field(description="when the requester was told, with the reasons")


class Decided(Body):
    """On figures of operators for the public: the three-part test of law 2939-VI art. 6, one text a part."""

    grant: bool
    interest: Note
    harm: Note
    balance: Note
    decided_by: Line


class Answered(Body):
    released_by: Line = Field(description="the head of the centre or of the branch (order 4.4)")
    how: Form
    paper: Count | None = Field(None, description="the letter that was given")
    text: Note | None = Field(None, description="what was said, where there is no letter")


class Refused(Body):
    reason: Note
    responsible: Line
    appeal: Note = Field(description="where and until when to complain (law 2939-VI art. 22-23)")
    paper: Count | None = None


class Forwarded(Body):
    to: Line = Field(description="who holds the information; the clock begins there (law 2939-VI art. 22)")


class Withdrawn(Body):
    reason: Note


class Noted(Body):
    text: Note


class Corrected(Body):
    """What was entered wrongly, as it should be; what is left out stays."""

    kind: Kind | None = None
    requester_class: RequesterClassName | None = None
    form: Form | None = None
    language: LanguageCode | None = None
    branch: Name | None = None
    received_at: Moment | None = None
    subject: Subject | None = None
    urgent: bool | None = None
    simple: bool | None = None
    reasons: Note | None = None
    legal_basis: Line | None = None
    due_at: Moment | None = None

    @model_validator(mode="after")
    def _something(self) -> "Corrected":
        if not self.model_fields_set:
            raise ValueError("it corrects nothing")
        return self


class TakenBack(Body):
    event: Count = Field(description="the number of the entry that was a slip")
    reason: Note


STEPS: dict[str, type[Body]] = {
    "assigned": Assigned,
    "consent_asked": ConsentAsked,
    "consent_given": ConsentGiven,
    "consent_refused": ConsentRefused,
    "extended": Extended,
    "decided": Decided,
    "answered": Answered,
    "refused": Refused,
    "forwarded": Forwarded,
    "withdrawn": Withdrawn,
    "noted": Noted,
    "corrected": Corrected,
    "taken_back": TakenBack,
}
StepName = Literal[
    "assigned",
    "consent_asked",
    "consent_given",
    "consent_refused",
    "extended",
    "decided",
    "answered",
    "refused",
    "forwarded",
    "withdrawn",
    "noted",
    "corrected",
    "taken_back",
]


class NewStep(Body):
    """Something happened. ``seq`` is one more than the last entry's: two people cannot both enter the next."""

    what: StepName
    seq: Count
    fields: dict[str, Any] = Field(default_factory=dict)


class NewPaper(Body):
    """A document about a request. An answer says which figures, of whole periods, it holds."""

    kind: PaperKind
    by: AnswerCut = "centre"
    period: Literal[Period.MONTH, Period.QUARTER, Period.YEAR] = Period.MONTH
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")
    text: Annotated[str, StringConstraints(max_length=4000, strip_whitespace=True)] | None = Field(
        None, description="in the words of whoever answers; stands above the figures"
    )
    signed_by: Line | None = Field(None, description="who signs it")


# ---- answers of the api
class RequestEvent(Resource):
    seq: int
    at: datetime
    who: str
    what: StepName
    fields: dict[str, Any]
    taken_back: bool


class PaperResource(Resource):
    id: int
    kind: PaperKind
    made_at: datetime
    made_by: str
    language: str
    sha256: str
    href: str


class RequestResource(Resource):
    """A request as it stands. ``due_at`` is null where no law sets a limit."""

    number: str = Field(examples=["2026/17"])
    kind: Kind
    requester_class: RequesterClassName
    clause: str = Field(description="of the order")
    form: Form
    language: str
    branch: str | None
    received_at: datetime
    registered_at: datetime
    registered_by: str
    subject: str
    urgent: bool
    simple: bool
    reasons: str | None
    legal_basis: str | None
    state: Literal["open", "answered", "refused", "forwarded", "withdrawn"]
    consent: Literal["not_needed", "missing", "asked", "given", "refused"]
    assigned: str | None
    due_at: datetime | None
    due_rule: Literal["working_days", "extended", "urgent", "month", "simple", "most", "set", "none"]
    notice_due_at: datetime | None = Field(description="until when the requester may be told of an extension")
    overdue: bool
    closed_at: datetime | None
    late: bool = Field(description="whether it was closed after its time")
    events: list[RequestEvent]
    papers: list[PaperResource]
    person: str | None = Field(description="null where nobody said, or it was forgotten")
    contact: str | None


class RequestLine(Resource):
    """A line of the list: nothing about who asked."""

    number: str
    kind: Kind
    requester_class: RequesterClassName
    branch: str | None
    received_at: datetime
    subject: str
    state: Literal["open", "answered", "refused", "forwarded", "withdrawn"]
    consent: Literal["not_needed", "missing", "asked", "given", "refused"]
    due_at: datetime | None
    overdue: bool
    closed_at: datetime | None
    late: bool


class Requests(Resource):
    """Overdue ones first, then by when they are due; closed ones last."""

    generated_at: datetime
    overdue: int
    open: int
    requests: list[RequestLine]
