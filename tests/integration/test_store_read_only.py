"""A PostgreSQL that takes no writes for a while is one that does not answer: nothing is refused for good."""

import psycopg
import pytest
from psycopg import sql

from collector.store import Arrival, Store, StoreUnavailable
from tests.integration.postgres import Postgres


def test_a_server_that_is_read_only_for_a_while_makes_messages_wait(cluster: Postgres) -> None:
    url = cluster.url()
    name = sql.Identifier(url.rpartition("/")[2])
    message = Arrival("zrazkovo/1/desk/d-1/vote", b"{}", 1_795_341_600_000)
    Store.open(url).close()
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        with Store.open(url) as store, pytest.raises(StoreUnavailable, match="takes nothing in"):
            store.ingest([message])
        administrator.execute("SET default_transaction_read_only = off")
        administrator.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))
    with Store.open(url) as store:
        assert [answer.disposition for answer in store.ingest([message])] == ["malformed"]
