"""How much is kept of one topic and day is asked whenever something is kept."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("ix_kept_topic_first_unix_ms", "kept", ["topic", "first_unix_ms"])
