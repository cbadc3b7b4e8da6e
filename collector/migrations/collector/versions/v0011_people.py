"""People who sign in, and what they may see."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""
