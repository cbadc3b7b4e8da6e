"""Collectors that start at one moment all load the register; each finds it loaded when it goes on."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from collector.register import read_register
from collector.store import Store
from tests.integration.collector_process import register_file


def test_collectors_that_start_together_load_one_register(any_database: str, tmp_path: Path) -> None:
    register = read_register(register_file(tmp_path, ("centre-01", "centre-02")))
    stores = [Store.open(any_database) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(lambda store: store.load_register(register), stores))
    assert [len(store.register().desks) for store in stores] == [2, 2, 2, 2]
    for store in stores:
        store.close()
