"""The resources of the access log and of recorded orders: what ``/v1/access-log`` and ``/v1/orders`` answer."""

from datetime import date, datetime

from pydantic import Field

from schemas.resources import Resource


class Reading(Resource):
    """Somebody read, or wanted to read, at the level of an operator or desk (order P4.7, P4.8)."""

    id: int
    at: datetime
    reader: str = Field(description="a person's login, or the name of a program's token")
    role: str | None = Field(description="of a person; null for a program")
    purpose: str | None
    order: int | None = Field(description="the recorded order it was read by (order P4.3), by its number in /v1/orders")
    branch: str | None
    about: str | None = Field(description="one operator or desk; null where it was about several")
    granted: bool
    question: str


class AccessLog(Resource):
    """A page of the log, the newest first."""

    total: int = Field(description="how many readings fit the filter")
    offset: int
    readings: list[Reading]


class OrderResource(Resource):
    """An instruction of the city's leadership to report by operator (order P4.3)."""

    id: int
    number: str
    day: date
    ordered_by: str
    about: str
    branch: str | None
    operator: str | None
    last_day: date


class Orders(Resource):
    orders: list[OrderResource]
