"""The store: what other rooms may use of the database. How it is kept is nobody else's business."""

from collector.errors import NewerDatabase, StoreError, StoreUnavailable
from collector.model import Answer, Arrival
from collector.store.door import Store
from collector.store.figures import Counts, PadRow, Rollup
from collector.store.people import Token
from schemas.register import Branch, Desk, Organisation, Register, Service

__all__ = [
    "Answer",
    "Arrival",
    "Branch",
    "Counts",
    "Desk",
    "NewerDatabase",
    "Organisation",
    "PadRow",
    "Register",
    "Rollup",
    "Service",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Token",
]
