"""Migrations and tables say the same, on every database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, text

import collector
from collector.store.engine import make_engine
from collector.store.migrate import HEADS, upgrade, version_table
from collector.store.partitions import is_partition
from schemas.tables import feed_metadata, metadata
from tests.integration.postgres import Postgres

METADATA = {"collector": metadata, "feed": feed_metadata}


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'zrazkovo.db'}"
    else:
        cluster: Postgres = request.getfixturevalue("cluster")
        url = cluster.url()
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("which", sorted(METADATA))
def test_migrations_make_the_tables_of_the_schema(engine: Engine, which: str) -> None:
    upgrade(engine, which)
    assert differences(engine, which, METADATA[which]) == []


@pytest.mark.parametrize("which", sorted(METADATA))
def test_a_column_that_no_migration_makes_is_noticed(engine: Engine, which: str) -> None:
    upgrade(engine, which)
    table = next(iter(METADATA[which].tables))
    with engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN forgotten INTEGER"))
    assert differences(engine, which, METADATA[which]) != []


def test_both_sets_of_tables_may_live_in_one_database(engine: Engine) -> None:
    for which in METADATA:
        upgrade(engine, which)
        upgrade(engine, which)


@pytest.mark.parametrize("which", sorted(METADATA))
def test_the_program_knows_the_newest_migration(which: str) -> None:
    config = Config()
    folder = Path(collector.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / which / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    assert ScriptDirectory.from_config(config).get_heads() == [HEADS[which]]


def differences(engine: Engine, which: str, tables: MetaData) -> list[object]:
    with engine.connect() as connection:
        options = {
            "version_table": version_table(which),
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _: kind != "table" or not is_partition(name),
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), tables))
