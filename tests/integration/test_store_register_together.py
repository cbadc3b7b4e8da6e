"""Collectors that start at one moment load one register; people who name operators at once keep each other's names."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from collector.register import read_register
from collector.store import Store
from schemas.register import Operator
from tests.integration.collector_process import register_file


def test_collectors_that_start_together_load_one_register(any_database: str, tmp_path: Path) -> None:
    register = read_register(register_file(tmp_path, ("centre-01", "centre-02")))
    stores = [Store.open(any_database) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(lambda store: store.load_register(register), stores))
    assert [len(store.register().desks) for store in stores] == [2, 2, 2, 2]
    for store in stores:
        store.close()


def test_people_who_name_operators_together_undo_nobodys_work(any_database: str, tmp_path: Path) -> None:
    register = read_register(register_file(tmp_path, ("centre-01",)))
    names = {f"named-{n}": f"Олена {n}" for n in range(8)}
    operators = (*register.operators, *(Operator(id=each) for each in names))
    with Store.open(any_database) as first, Store.open(any_database) as second:
        first.book.save(register.model_copy(update={"operators": operators}), author="head", how="edit")
        stores = {each: (first, second)[n % 2] for n, each in enumerate(names)}
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda each: stores[each].book.name(each, names[each], author="head"), names))
        assert first.book.names("test") == names
        second.book.name("named-0", "", author="head")
        assert first.book.names("test") == {each: name for each, name in names.items() if each != "named-0"}
