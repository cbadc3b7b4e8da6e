"""The tables of requests for information (order 4.4-4.6). No query lives here.

Rules of the file
1.  ``disclosure``, ``disclosure_event`` and ``disclosure_paper`` are only ever inserted into. A slip is mended by one
    more event; a paper that was made stays as it was given out.
2.  Who asked, a person's name and address, stands in ``disclosure_person`` alone, and can be forgotten there.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from schemas.tables import metadata

disclosure = Table(
    "disclosure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("year", Integer, nullable=False),  # in which it was registered, local
    Column("number", Integer, nullable=False),  # within the year: 2026/17
    Column("kind", String(12), nullable=False),  # information | complaint | proposal
    Column("requester_class", String(20), nullable=False),
    Column("form", String(10), nullable=False),
    Column("language", String(5), nullable=False),  # in which it is answered
    Column("branch", String(40)),  # which one it is about; null: the centre
    Column("received_unix_ms", BigInteger, nullable=False),
    Column("subject", String(2000), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("simple", Boolean, nullable=False),  # a complaint that needs no study
    Column("reasons", String(1000)),  # why it is urgent
    Column("legal_basis", String(300)),
    Column("due_unix_ms", BigInteger),  # set by whoever asks: a court
    Column("registered_by", String(80), nullable=False),
    Column("registered_unix_ms", BigInteger, nullable=False),
    UniqueConstraint("year", "number"),
)
disclosure_event = Table(
    "disclosure_event",
    metadata,
    Column("disclosure", Integer, ForeignKey("disclosure.id"), nullable=False),
    Column("seq", Integer, nullable=False),  # 1, 2, ...: two people cannot both add the next
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("who", String(80), nullable=False),
    Column("what", String(20), nullable=False),
    Column("fields", String(8000), nullable=False),  # JSON
    PrimaryKeyConstraint("disclosure", "seq"),
)
disclosure_paper = Table(
    "disclosure_paper",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("disclosure", Integer, ForeignKey("disclosure.id"), nullable=False, index=True),
    Column("kind", String(12), nullable=False),  # receipt | answer | refusal | notice
    Column("made_unix_ms", BigInteger, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("language", String(5), nullable=False),
    Column("figures", LargeBinary),  # JSON: what the answer was made from
    Column("content", LargeBinary, nullable=False),  # PDF
    Column("sha256", String(64), nullable=False),
)
disclosure_person = Table(
    "disclosure_person",
    metadata,
    Column("disclosure", Integer, ForeignKey("disclosure.id"), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("contact", String(500), nullable=False),  # where the answer goes
)
