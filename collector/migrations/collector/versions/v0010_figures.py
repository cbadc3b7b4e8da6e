"""What figures stand on beyond a day: what was left out and why, and months."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing yet."""
