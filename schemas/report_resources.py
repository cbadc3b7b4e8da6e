"""The api's resources about reports: what was made, for whom, and where its files are. No arithmetic lives here."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.fleet_resources import Body
from schemas.periods import Period
from schemas.resources import Resource

ReportCut = Literal["centre", "branch", "direction", "operator"]
ReportFormat = Literal["pdf", "xlsx", "csv"]
_Line = StringConstraints(max_length=120, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$")


class ReportFileResource(Resource):
    """A file as it was made; ``sha256`` is of its bytes, which never change."""

    format: ReportFormat
    href: str
    sha256: str
    bytes: int


class ReportResource(Resource):
    """A report that was made. ``revision`` is the register's; ``figures_end`` the last day that was counted."""

    id: int
    made_at: datetime
    made_by: str = Field(description="empty: made by itself, on its day of the month")
    cut: ReportCut
    key: str | None = Field(description="the branch or direction; null for the whole centre")
    period: Period
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    figures_end: date
    language: str
    title: str
    ordered_by: str | None = Field(description="on whose instruction (order P4.3)")
    instruction: str | None
    purpose: str | None = Field(description="of P4.7, of a report about operators")
    revision: int
    files: list[ReportFileResource]


class ReportList(Resource):
    generated_at: datetime
    reports: list[ReportResource]


class ReportBody(Body):
    """What a report is to be about. ``day`` is any day of the period."""

    cut: ReportCut = "centre"
    key: Annotated[str, StringConstraints(max_length=40)] | None = None
    period: Annotated[Period, Field(strict=False)] = Period.MONTH
    day: Annotated[date, Field(strict=False, ge=date(2000, 1, 1), le=date(2100, 12, 31))]
    language: Annotated[str, StringConstraints(max_length=8)] | None = None
    ordered_by: Annotated[str, _Line] = ""
    instruction: Annotated[str, _Line] = ""
    purpose: Annotated[str, StringConstraints(max_length=40)] | None = None
    order: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(None, description="the recorded instruction")
    participant: Annotated[str, StringConstraints(max_length=40)] | None = None
    shows_small: bool = Field(False, description="also cells behind which fewer than three operators stand")
