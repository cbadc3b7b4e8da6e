"""Calendar months and the call ids that fall into them: ids sort by time, so a month is a range of ids. Pure.

A month is an integer ``yyyymm`` and begins at midnight UTC, which is no branch's local midnight: a day's calls may lie
in two months here. Figures go by local days (schemas/periods.py); these months only say where rows are kept.
"""

from datetime import UTC, datetime

from protocol.fields import CALL_ID

_TIME_CHARACTERS, _OTHERS = 9, 7  # of a call id: collector/feed/calls.py makes them


def first_id(month: int) -> str:
    """The least call id of ``month``: every call of an earlier month has a lesser one."""
    return first_id_at(int(datetime(month // 100, month % 100, 1, tzinfo=UTC).timestamp() * 1000))


def first_id_at(unix_ms: int) -> str:
    """The least call id of a moment, Unix milliseconds."""
    time = "".join(CALL_ID.alphabet[unix_ms >> 5 * place & 31] for place in reversed(range(_TIME_CHARACTERS)))
    return time + CALL_ID.alphabet[0] * _OTHERS


def month_of_id(call: str) -> int:
    """The month of a call id; the first or last month there is for one that no clock can have made."""
    return month_of(unix_ms_of_id(call))


def unix_ms_of_id(call: str) -> int:
    """The moment in a call id; of one that no clock can have made, it is no moment at all."""
    unix_ms = 0
    for character in call[:_TIME_CHARACTERS]:
        unix_ms = unix_ms * 32 + CALL_ID.alphabet.index(character)
    return unix_ms


def month_of(unix_ms: int) -> int:
    """The month, in UTC, of a moment, held within what ``first_id`` can say."""
    bounded = min(max(unix_ms, 0), int(datetime(2999, 12, 1, tzinfo=UTC).timestamp() * 1000))
    moment = datetime.fromtimestamp(bounded / 1000, UTC)
    return moment.year * 100 + moment.month


def later(month: int, months: int = 1) -> int:
    """The month so many months after ``month``, or before it if negative."""
    number = month // 100 * 12 + month % 100 - 1 + months
    return number // 12 * 100 + number % 12 + 1


def read_month(text: str) -> int:
    """``yyyymm`` out of "2026-03". Raises ValueError for anything else."""
    moment = datetime.strptime(text, "%Y-%m")  # noqa: DTZ007
    if text != moment.strftime("%Y-%m"):
        raise ValueError(f"{text!r} is no month like 2026-03")
    return moment.year * 100 + moment.month


def month_name(month: int) -> str:
    """ "2026-03"."""
    return f"{month // 100}-{month % 100:02}"
