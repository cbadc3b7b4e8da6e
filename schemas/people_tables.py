"""The tables of people who sign in: who they are, their sessions, what was changed about them, and recorded orders.

Rules of the file
1.  A person here reads figures. Whom figures are about stays an operator's id; the one link between the two is
    ``limits`` of somebody with the role operator, and only who looks after people (scope ``users``) sees it.
2.  No secret is kept: a password as an argon2id hash, everything random as its SHA-256.
3.  Nobody is deleted: who was disabled stays, for the access log names them.
4.  ``person_change`` and ``sign_in`` are only ever inserted into.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from schemas.tables import metadata

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(80), nullable=False, unique=True),  # in lower case
    Column("shown", String(120), nullable=False),  # the name that pages show
    Column("role", String(32), nullable=False),  # one of api/access/roles.py
    Column("limits", String(4000)),  # JSON, see collector/store/limits.py; null: none
    Column("password", String(200)),  # argon2id; null for somebody who signs in elsewhere
    Column("password_until_unix_ms", BigInteger),  # of one that was given to them, until they choose their own
    Column("must_change", Boolean, nullable=False),
    Column("issuer", String(255)),  # of OpenID Connect, with its subject
    Column("subject", String(255)),
    Column("created_unix_ms", BigInteger, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("expires_unix_ms", BigInteger),  # an assessor's visit ends
    Column("disabled_unix_ms", BigInteger),
    Column("signed_in_unix_ms", BigInteger),  # last
    Index(None, "issuer", "subject", unique=True),
)
person_session = Table(
    "person_session",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person", Integer, ForeignKey("person.id"), nullable=False),
    Column("created_unix_ms", BigInteger, nullable=False),
    Column("seen_unix_ms", BigInteger, nullable=False),
    Column("expires_unix_ms", BigInteger, nullable=False),
    Index(None, "person"),
)
known_browser = Table(  # one that signed in before is not kept waiting for what others try with the same login
    "known_browser",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person", Integer, ForeignKey("person.id"), nullable=False),
    Column("seen_unix_ms", BigInteger, nullable=False),
    Index(None, "person"),
)
sign_in = Table(
    "sign_in",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_unix_ms", BigInteger, nullable=False, index=True),
    Column("person", Integer, index=True),  # null for an unknown login: what was typed may have been a password
    Column("how", String(10), nullable=False),  # password | oidc
    Column("outcome", String(20), nullable=False),  # ok | wrong | unknown | disabled | expired | no_role
    Column("address", String(45), nullable=False),
)
person_change = Table(  # who gave whom which rights
    "person_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_unix_ms", BigInteger, nullable=False),
    Column("author", String(80), nullable=False),
    Column("what", String(20), nullable=False),  # created | changed | disabled | enabled | password | token ...
    Column("about", String(80), nullable=False),  # a login, or a token's name
    Column("detail", String(300), nullable=False),
)
reading_order = Table(  # an instruction of the city's leadership to report by operator (order P4.3)
    "reading_order",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(40), nullable=False),  # as the paper has it
    Column("day", Integer, nullable=False),  # the paper's, yyyymmdd
    Column("ordered_by", String(120), nullable=False),
    Column("about", String(300), nullable=False),  # what for, in the order's words
    Column("branch", String(40)),  # only this one's; null: every
    Column("operator", String(40)),
    Column("recorded_by", String(80), nullable=False),
    Column("recorded_unix_ms", BigInteger, nullable=False),
    Column("last_day", Integer, nullable=False),  # the last on which it may be used
    Column("withdrawn_unix_ms", BigInteger),
)
