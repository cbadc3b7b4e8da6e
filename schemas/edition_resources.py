"""Editions as resources: what was published of a period, and the list of what there is. Open to all.

A content is stored as the very bytes of its ``EditionContent``, and answered as these bytes: whoever has its SHA-256
can see that nothing was changed since.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from schemas.resources import Resource, ScaleStep
from schemas.statistics_resources import DesignEffects

EditionKind = Literal["month", "quarter", "year"]
PublishedCut = Literal["centre", "branch", "direction", "service"]
CellCode = Literal["published", "none", "small", "few_operators", "alike", "secondary", "withheld"]


class PublishedCell(Resource):
    """One figure. The counts are null unless ``code`` is "published", or "none": then all are 0."""

    cut: PublishedCut
    key: str = Field(description="id of the branch, direction or service; empty of the centre and of what is not named")
    name: str
    name_en: str
    direction: str | None = Field(description="of a service: the id of its direction, empty if it has none")
    code: CellCode
    calls: int | None
    eligible_calls: int | None
    votes: int | None
    bad: int | None
    good: int | None
    exemplary: int | None
    alike: Literal["bad", "good", "exemplary"] | None = Field(
        description='of code "alike": the rating that more than 95 % of the votes have; of the others less than 5 %'
    )


class EditionContent(Resource):
    """An edition as it was published. A correction is a new edition of the same period with a higher number."""

    format: Literal["zrazkovo-edition-1"] = "zrazkovo-edition-1"
    period: str = Field(examples=["2026-11", "2026-Q4", "2026"])
    kind: EditionKind
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    number: int
    reason: str = Field(description="why the edition before was not right; empty of the first")
    published_at: datetime
    organisation: str
    organisation_en: str
    simulated: bool = Field(description="whether these data come from a simulator and say nothing about anybody")
    register_revision: int
    ruleset: str
    method_version: str
    made_of: list[str] = Field(description="of a quarter or year: the editions of its months, such as 2026-11/1")
    least_votes: int
    least_operators: int
    scale: list[ScaleStep]
    method: str
    method_en: str
    design_effects: DesignEffects | None = Field(
        None,
        description="by how much the variance of a share is widened because votes of one day resemble each other, in "
        "the published branches together, rounded up to a tenth; null, or not there, of editions that do not know it",
    )
    cells: list[PublishedCell]


class EditionHead(Resource):
    """An edition in the list of all; ``holds``: no later one has taken its place."""

    period: str
    kind: EditionKind
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    number: int
    reason: str
    published_at: datetime
    holds: bool
    sha256: str
    json_address: str = Field(alias="json")
    csv_address: str = Field(alias="csv")


class EditionList(Resource):
    editions: list[EditionHead]


class PlannedEdition(Resource):
    """What an edition would be: how many figures would be published, and how many withheld by which code."""

    period: str
    number: int
    codes: dict[CellCode, int]
    withheld: list[str] = Field(description="cut and key of every figure that would be withheld, and its code")


class PublishingResource(Resource):
    """What closing a month came to; ``published`` is false of a trial."""

    published: bool
    editions: list[PlannedEdition]


class PublishRequest(Resource):
    """A month to close, or, with ``reason``, to correct. Without ``publish`` nothing is published: a trial."""

    month: str = Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])
    reason: str = Field("", max_length=300)
    publish: bool = False
