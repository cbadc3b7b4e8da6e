"""A database that an office has filled for years goes forward with every row, on every kind of database."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import collector
from collector.store import Store
from collector.store.engine import make_engine, writing
from collector.store.faults import Flagged

ROWS = (
    "INSERT INTO organisation VALUES (1, 'Центр', 'Centre', false, 7)",
    "INSERT INTO branch VALUES ('centre', 'Центр', 'Centre', 'Europe/Kyiv', '20:00', 0)",
    "INSERT INTO desk VALUES ('centre-01', 'centre', '1', 0)",
    "INSERT INTO pad VALUES ('centre-01', 'online', 'dark', NULL, '11111111', 4, '1.0', 'power', 'ok', 'ok', 'ok', 9)",
    "INSERT INTO pad_health VALUES ('centre-01', '{\"uptime_s\": 5}', 8)",
    "INSERT INTO call VALUES ('01kb3x9c00000001', 'centre', 'centre-01', 'op-1', 'passport', 't1', 1795341600000,"
    " 20261122, NULL, NULL, 'finished', 1, 1)",
    "INSERT INTO vote VALUES ('01kb3x9c00000001', 'centre-01', 3, 900, '11111111', 4, 1, 1795341600000)",
    # A press a minute after the call, at a desk that had called its next client after five seconds.
    "INSERT INTO call VALUES ('01kb3x9c00000002', 'centre', 'centre-01', 'op-1', 'passport', 't2', 1795341700000,"
    " 20261122, NULL, 1795341705000, 'next_call', 2, 2)",
    "INSERT INTO vote VALUES ('01kb3x9c00000002', 'centre-01', 1, 60000, '11111111', 4, 2, 1795341760000)",
    # Two of whom the figures hold that they could not vote, but not why.
    *(
        f"INSERT INTO call VALUES ('01kb3x9c0000000{number}', 'centre', 'centre-01', 'op-1', 'passport', 't{number}',"
        f" 179534180000{number}, 20261122, NULL, NULL, '{outcome}', {number}, {number})"
        for number, outcome in ((3, "no_show"), (4, "transferred"))
    ),
    *(
        f"INSERT INTO rollup_day VALUES ('{cut}', 'centre', '{key}', 20261122, 4, 2, 1, 0, 1)"
        for cut, key in (("branch", ""), ("service", "passport"), ("operator", "op-1"), ("desk", "centre-01"))
    ),
)


def test_a_filled_database_of_the_first_version_goes_forward(any_database: str) -> None:
    fill_first_version(any_database)
    with Store.open(any_database) as store:
        (pad,) = store.pads()
        assert (pad.boot, pad.firmware, pad.changed_unix_ms, pad.memory, pad.board) == (4, "1.0", 9, None, None)
        assert pad.health == {"uptime_s": 5}
        assert store.recount() == []
        (day,) = store.rollups("branch", 20261122, 20261122)
        assert (day.calls, day.eligible, day.bad, day.exemplary) == (4, 2, 0, 1)
        assert (day.absent, day.passed_on, day.withdrawn, day.unlit, day.unrated) == (1, 1, 0, 0, 0)
        (branch,) = store.register().branches
        assert (branch.id, branch.complaints_book) == ("centre", None)
        store.fleet.record([Flagged("01kb3x9c00000001", "centre-01")])
        assert store.fleet.report("centre-01", "op-1") is not None
    with Store.open(any_database) as store:  # a second start finds nothing to do
        assert [fault.kind for fault in store.fleet.faults()] == ["reported"]
        assert store.recount() == []


def fill_first_version(url: str) -> None:
    folder = Path(collector.__path__[0]) / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder / "collector" / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    engine = make_engine(url)
    with writing(engine) as connection:
        config.attributes.update(connection=connection, which="collector")
        command.upgrade(config, "0001")
        for row in ROWS:
            connection.execute(text(row))
    engine.dispose()
