"""Votes given long after the desk's next call leave the figures (collector/rollup.py, rule 5); their rows stay."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# As the rule was when it came; a later change of it is another migration's.
_STALE = """
    SELECT c.branch, COALESCE(c.service, '') AS service, COALESCE(c.operator, '') AS operator, c.desk, c.day, v.rating,
           u.call IS NOT NULL AS unavailable
    FROM call AS c JOIN vote AS v ON v.call = c.id AND v.desk = c.desk
    LEFT JOIN console_unavailable AS u ON u.call = c.id AND u.desk = c.desk
    WHERE c.outcome = 'next_call' AND c.ended_unix_ms >= c.called_unix_ms
      AND c.called_unix_ms + v.after_ms > c.ended_unix_ms + 15000
"""
_COLUMNS = {1: "bad", 2: "good", 3: "exemplary"}


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text(_STALE)).all():
        column = _COLUMNS[row.rating]
        less = sa.text(
            f"UPDATE rollup_day SET {column} = {column} - 1, eligible = eligible - :unavailable"
            " WHERE cut = :cut AND branch = :branch AND key = :key AND day = :day"
        )
        keys = {"branch": "", "service": row.service, "operator": row.operator, "desk": row.desk}
        for cut, key in keys.items():
            named = {"cut": cut, "branch": row.branch, "key": key, "day": row.day, "unavailable": int(row.unavailable)}
            connection.execute(less, named)
