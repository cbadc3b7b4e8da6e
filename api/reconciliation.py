"""``GET /v1/reconciliation``: whether all sums of the figures agree, as of the last nights. No figure is in it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.auth import require
from api.parts import parts_of
from collector.store import Reconciliation, Token
from schemas.resources import ReconciliationCheck, ReconciliationResource, Reconciliations

MOST = 60

router = APIRouter()


@router.get("/v1/reconciliation")
def read_reconciliation(
    request: Request, _token: Annotated[Token, require("metrics")], limit: Annotated[int, Query(ge=1, le=MOST)] = 1
) -> Reconciliations:
    """The last comparisons of sums with sums, the newest first; `python -m api nightly --chore reconcile` makes one."""
    found = parts_of(request).store.totals.reconciled(limit)
    return Reconciliations(reconciliations=[_resource(each) for each in found])


def _resource(each: Reconciliation) -> ReconciliationResource:
    return ReconciliationResource(
        at=datetime.fromtimestamp(each.at_unix_ms / 1000, UTC),
        took_s=each.took_ms / 1000,
        ok=each.ok,
        checks=[
            ReconciliationCheck(name=check.name, compared=check.compared, differ=check.differ) for check in each.checks
        ],
        differences=list(each.differences),
    )
