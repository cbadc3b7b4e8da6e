"""A filled database of before the register had days: what it knew is still there afterwards, and valid always."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import collector
from collector.store import Arrival, Branch, Desk, Organisation, Register, Service, Store
from collector.store.engine import make_engine, writing
from collector.store.migrate import version_table
from protocol import codec, topics
from tests.integration.collector_process import NOON_UNIX_MS, event, vote

BEFORE = """
INSERT INTO organisation VALUES (1, 'Прозорий офіс', 'Transparent Office', true, 1700000000000);
INSERT INTO branch VALUES ('centre', 'Центр', 'Centre', 'Europe/Kyiv', '20:00', 1, NULL, NULL);
INSERT INTO branch VALUES ('vyshenka', 'Вишенька', 'Vyshenka', 'Europe/Warsaw', '18:00', 0, 'тут', 'here');
INSERT INTO service VALUES ('passport', 'Паспорт', 'Passport', 0);
INSERT INTO desk VALUES ('centre-01', 'centre', '1', 1);
INSERT INTO desk VALUES ('centre-02', 'centre', '2', 0);
INSERT INTO pad_fault VALUES (1, 'centre-01', 'dark', 5, NULL, NULL, NULL, NULL, '', 0, NULL);
INSERT INTO rollup_day VALUES ('branch', 'centre', '', 20261121, 7, 7, 1, 2, 3);
"""


def migrate_to(url: str, version: str) -> None:
    """Brings an empty database to an older version of the collector's tables."""
    config = Config()
    folder = Path(collector.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / "collector" / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    engine = make_engine(url)
    with writing(engine) as connection:
        config.attributes.update(connection=connection, which="collector")
        command.upgrade(config, version)
        assert connection.execute(text(f"SELECT version_num FROM {version_table('collector')}")).scalar() == version
        for statement in BEFORE.strip().split("\n"):
            connection.execute(text(statement))
    engine.dispose()


def test_an_older_register_is_still_there_and_can_be_gone_back_to(any_database: str) -> None:
    migrate_to(any_database, "0003")
    before = Register(
        organisation=Organisation(name="Прозорий офіс", name_en="Transparent Office", simulated=True),
        branches=(
            Branch(
                id="vyshenka", name="Вишенька", name_en="Vyshenka", timezone="Europe/Warsaw", day_ends="18:00",
                complaints_book="тут", complaints_book_en="here",
            ),
            Branch(id="centre", name="Центр", name_en="Centre"),
        ),
        services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
        desks=(Desk(id="centre-02", branch="centre", label="2"), Desk(id="centre-01", branch="centre", label="1")),
    )  # fmt: skip
    with Store.open(any_database) as store:
        assert store.register() == before
        assert store.book.whole() == (1, before)
        assert [(fault.branch_name, fault.label) for fault in store.fleet.faults()] == [("Центр", "1")]
        assert [pad.desk for pad in store.pads()] == ["centre-02", "centre-01"]
        queue, pad = topics.queue("centre", "event"), topics.desk("centre-01", "vote")
        answers = store.ingest(
            [
                Arrival(queue, codec.encode(event(1, desk="centre-01", seq=1)), NOON_UNIX_MS),
                Arrival(pad, codec.encode(vote(1, 3, seq=1)), NOON_UNIX_MS),
            ]
        )
        assert [answer.disposition for answer in answers] == ["taken", "taken"]
        more = before.model_copy(update={"services": (*before.services, Service(id="land", name="З", name_en="L"))})
        assert store.book.save(more, author="head", how="edit") == 2
        assert [(each.number, each.how) for each in store.book.revisions()] == [(2, "edit"), (1, "found")]
        assert store.book.revert(1, author="head") == 3
        assert store.register() == before
