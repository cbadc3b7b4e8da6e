"""The store: what other rooms may use of the database. How it is kept is nobody else's business."""

from collector.errors import Declined, NewerDatabase, NotHeld, NotThere, OutOfTurn, StoreError, StoreUnavailable
from collector.model import Answer, Arrival
from collector.store.book import Book, Revision, Stale
from collector.store.disclosures import Paper, Stored
from collector.store.door import Store
from collector.store.editions import Counted, Edition, Editions, NewEdition
from collector.store.faults import KINDS as FAULT_KINDS
from collector.store.faults import Fault, Notice
from collector.store.figures import Counts, PadRow, Rollup
from collector.store.fleet import Fleet
from collector.store.limits import NO_LIMITS, Limits
from collector.store.mix import MixRow
from collector.store.nights import Night
from collector.store.orders import LogFilter, LoggedReading, ReadingOrder
from collector.store.people import Read, Token
from collector.store.persons import Person, PersonChange, SignIn
from collector.store.reconcile import Reconciliation
from collector.store.reports import NewReport, NewTarget, Report, ReportFile, Reports, Target
from collector.store.requests import Credential, PadCommand
from collector.store.rollouts import Rollout, RolloutPad
from collector.store.served import Times
from collector.store.signals import (
    MarkedVotes,
    NewSignal,
    PadDay,
    Served,
    SignalMonth,
    SignalRate,
    SignalRow,
)
from schemas.register import Branch, Desk, Organisation, Register, Service

__all__ = [
    "NewEdition",
    "Editions",
    "Edition",
    "Counted",
    "MarkedVotes",
    "NewSignal",
    "PadDay",
    "Served",
    "SignalMonth",
    "SignalRate",
    "SignalRow",
    "FAULT_KINDS",
    "NO_LIMITS",
    "Answer",
    "Arrival",
    "Book",
    "Branch",
    "Counts",
    "Credential",
    "Declined",
    "Desk",
    "Fault",
    "Fleet",
    "Limits",
    "NewReport",
    "NewTarget",
    "LogFilter",
    "LoggedReading",
    "NewerDatabase",
    "MixRow",
    "Night",
    "NotHeld",
    "NotThere",
    "Notice",
    "Organisation",
    "OutOfTurn",
    "PadCommand",
    "PadRow",
    "Person",
    "PersonChange",
    "Read",
    "ReadingOrder",
    "Paper",
    "Reconciliation",
    "Register",
    "Report",
    "ReportFile",
    "Reports",
    "Revision",
    "Rollout",
    "RolloutPad",
    "Rollup",
    "Service",
    "SignIn",
    "Stale",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Target",
    "Times",
    "Stored",
    "Token",
]
