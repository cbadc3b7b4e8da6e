"""Who may publish, and how: by a person with the scope ``publish``, or by the work of the night on a day of the month.

A trial says first what would be published and what withheld. A correction needs a reason, and is never made by itself:
that votes have come late is said on the page and by night, and then a person decides.
"""

import time
from collections import Counter
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.auth import require
from api.parts import parts_of
from api.publication import closing
from api.publication.closing import Plan
from api.publication.rules import OPEN
from api.settings import Settings
from collector.store import Store, Token
from schemas.edition_resources import PlannedEdition, PublishingResource, PublishRequest

router = APIRouter()
NAME = "publish"


@router.post("/v1/editions", response_model=PublishingResource)
def publish(request: Request, asked: PublishRequest, token: Annotated[Token, require("publish")]) -> Response:
    """Close a month, or correct it with a reason. Unless ``publish`` is true nothing is published: a trial."""
    store, now = parts_of(request).store, time.time_ns() // 1_000_000
    made = closing.plan(store, asked.month, now, reason=asked.reason.strip())
    if asked.publish:
        closing.publish(store, made, by=token.name, now_unix_ms=now)
    answer = PublishingResource(published=asked.publish, editions=planned(made))
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


def planned(made: Plan) -> list[PlannedEdition]:
    """What a plan comes to, for whoever decides about it."""
    return [
        PlannedEdition(
            period=each.sheet.period,
            number=each.sheet.number,
            codes=dict(Counter(code.value for code in each.sheet.codes.values())),
            withheld=[
                f"{place.cut} {place.key or '-'}: {code.value}"
                for place, code in each.sheet.codes.items()
                if code not in OPEN
            ],
        )
        for each in made.editions
    ]


def nightly(store: Store, settings: Settings, now_unix_ms: int) -> list[str]:
    """Publishes the month before, once its day has come, and says of which published months votes have come late."""
    sentences = [late_sentence(each) for each in closing.late(store, now_unix_ms)]
    zone = store.register().timezone
    today = datetime.fromtimestamp(now_unix_ms / 1000, ZoneInfo(zone)).day
    month = closing.last_month(now_unix_ms, zone)
    due = 0 < settings.publish_on_day <= today
    if not due or any(each.period == month for each in store.editions.all()):
        return sentences
    try:
        made = closing.plan(store, month, now_unix_ms)
    except closing.NotToBeClosed as problem:
        return [*sentences, f"{month} is not published: {problem}"]
    closing.publish(store, made, by="", now_unix_ms=now_unix_ms)
    for each in planned(made):
        withheld = len(each.withheld)
        sentences.append(f"{each.period} is published: {sum(each.codes.values())} figures, {withheld} of them withheld")
    return sentences


def late_sentence(late: closing.Late) -> str:
    more = "more" if late.votes >= 0 else "fewer"
    return (
        f"{late.edition.period}: {abs(late.votes)} votes {more} are known than its edition {late.edition.number} says; "
        "a correction may be needed"
    )
