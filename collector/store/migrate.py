"""Brings a database to the tables that this version of the program knows: the collector's or the feed's.

Migrations go forward only. A database of a newer program is refused and stays as it is.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from collector.errors import NewerDatabase
from collector.store.engine import reading, writing

# The newest version of each set of tables; a test compares them with the files in collector/migrations.
HEADS = {"collector": "0017", "feed": "0002"}
_MIGRATIONS = Path(__file__).parent.parent / "migrations"
# Any number of our own: PostgreSQL lets one process at a time migrate.
_MIGRATION_LOCK = 7_120_251


def upgrade(engine: Engine, which: str) -> None:
    """Migrates the tables of ``which`` ("collector" or "feed") to the newest version, in one transaction.

    Raises NewerDatabase, or StoreUnavailable when the database does not answer.
    """
    with reading(engine) as connection:
        if version_of(connection, which) == HEADS[which]:
            return
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        _migrate(connection, which)


def version_table(which: str) -> str:
    """The table that holds the version: one each, so that both may live in one database."""
    return f"{which}_version"


def version_of(connection: Connection, which: str) -> str | None:
    """The version of the tables of ``which``; None if there are none."""
    if not inspect(connection).has_table(version_table(which)):
        return None
    version: str | None = connection.execute(text(f"SELECT version_num FROM {version_table(which)}")).scalar()
    return version


def _migrate(connection: Connection, which: str) -> None:
    # Imported here: a start without migrations, which is nearly every one, is a third quicker without Alembic.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", _escaped(_MIGRATIONS))
    config.set_main_option("version_locations", _escaped(_MIGRATIONS / which / "versions"))
    config.set_main_option("path_separator", "newline")
    version = version_of(connection, which)
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise NewerDatabase(f"the database is at version {version}, newer than this program; upgrade the program")
    config.attributes.update(connection=connection, which=which)
    command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # Alembic keeps its options in a ConfigParser
