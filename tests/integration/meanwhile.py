"""What must be right whoever else is writing: a deed, while two others tell the database of visits."""

import threading
from collections.abc import Callable

from collector.store import Store

_NUMBERS = (range(100, 112), range(300, 312))


def while_two_tell(url: str, tell: Callable[[Store, int], None], deed: Callable[[], object]) -> None:
    """Does ``deed`` at the moment at which two threads, each with a store of its own, begin to tell of their numbers.

    Whatever is raised in a thread is raised here, when all have ended.
    """
    ready, faults = threading.Barrier(len(_NUMBERS) + 1, timeout=60), list[Exception]()

    def work(numbers: range) -> None:
        try:
            with Store.open(url) as own:
                ready.wait()
                for number in numbers:
                    tell(own, number)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(numbers,)) for numbers in _NUMBERS]
    for thread in threads:
        thread.start()
    ready.wait()
    deed()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
