"""Requests for information on both databases: numbers of a year, one next entry, and rows that stay as they are."""

from typing import Any

import pytest
import sqlalchemy

from collector.store import Store, StoreError


def test_the_database_itself_refuses_to_change_what_was_entered(any_database: str) -> None:
    with Store.open(any_database) as store:
        values: dict[str, Any] = {
            "kind": "information",
            "requester_class": "citizen",
            "form": "oral",
            "language": "uk",
            "branch": None,
            "received_unix_ms": 1,
            "subject": "x",
            "urgent": False,
            "simple": False,
            "reasons": None,
            "legal_basis": None,
            "due_unix_ms": None,
            "registered_by": "clerk",
            "registered_unix_ms": 1,
        }
        assert store.disclosures.register(2026, values, ("Name", "")) == 1
        assert store.disclosures.register(2026, values, None) == 2
        assert store.disclosures.register(2027, values, None) == 1
        key = store.disclosures.one(2026, 1).row["id"]
        store.disclosures.add(key, 1, "noted", {"text": "з"}, "clerk", 5)
        with pytest.raises(StoreError):
            store.disclosures.add(key, 1, "noted", {"text": "y"}, "clerk", 6)
        store.disclosures.keep(key, "receipt", b"%PDF", None, "uk", "clerk", 7)
        assert store.disclosures.one(2026, 1).events == ((1, 5, "clerk", "noted", {"text": "з"}),)
        assert store.disclosures.forget_people([key]) == 1
    engine = sqlalchemy.create_engine(any_database.replace("postgresql://", "postgresql+psycopg://"))
    for statement in (
        "UPDATE disclosure SET subject = 'y'",
        "DELETE FROM disclosure_event",
        "UPDATE disclosure_event SET who = 'me'",
        "UPDATE disclosure_paper SET made_by = 'me'",
        "DELETE FROM disclosure_paper",
        *(
            f"REPLACE INTO {each} SELECT * FROM {each}"
            if engine.dialect.name == "sqlite"
            else f"TRUNCATE {each} CASCADE"
            for each in ("disclosure", "disclosure_event", "disclosure_paper")
        ),
    ):
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changed"), engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()
