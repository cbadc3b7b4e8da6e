"""What a mail about faults says, in Ukrainian and then in English. No person, no call and no vote is in it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from collector.store import Fault, Notice

_KINDS = {
    "dark": ("пульт не засвітився після виклику", "the pad stayed dark after a call"),
    "reported": ("оператор повідомив, що пульт не світиться", "the operator reports that the pad is dark"),
    "offline": ("пульт не на зв'язку", "the pad is offline"),
    "silent": ("пульт не надсилає даних про свій стан", "the pad sends no health"),
    "lamps": ("несправні лампи", "its lamps are faulty"),
    "buttons": ("залипла кнопка", "a button is stuck"),
    "storage": ("несправна або заповнена пам'ять голосів", "its storage is full or faulty"),
    "memory": ("мало оперативної пам'яті", "its memory runs low"),
    "clock": ("неправильний годинник", "its clock is wrong"),
    "safe_mode": ("пульт у безпечному режимі, голосів не приймає", "safe mode: it takes no votes"),
    "restarts": ("пульт раз у раз перезапускається", "it restarts again and again"),
    "update": ("оновлення не вдалося", "its update failed"),
    "feed_silent": (
        "від електронної черги немає викликів: пульти не засвічуються",
        "no calls come from the queue: pads stay dark",
    ),
    "broker": ("немає зв'язку з брокером: за пультами ніхто не стежить", "no broker: no pad is being watched"),
}
_EVENTS = {"opened": ("несправність", "fault"), "closed": ("усунуто", "mended")}
_ADVICE = (
    "Обслуговування триває: несправний пульт не є підставою зупиняти роботу (п. 3.3). Клієнтові, який хоче оцінити "
    "роботу, скажіть, де лежить книга скарг і пропозицій (п. 3.4).",
    "Service goes on: a broken pad is no ground to stop it (order 3.3). Tell a client who wants to rate where the book "
    "of complaints and proposals lies (3.4).",
)
_ZONE = "Europe/Kyiv"


def subject(about: Sequence[Notice]) -> str:
    """One line for everything that a mail tells."""
    opened = sum(each.event == "opened" and each.fault.closed_unix_ms is None for each in about)
    first = about[0]
    if len(about) == 1:
        line = f"Zrazkovo: {_place(first.fault)}: {_EVENTS[first.event][0]} / {_EVENTS[first.event][1]}"
        return " ".join(line.split())  # a line break in a name of the register would make it no header
    return f"Zrazkovo: {len(about)} ({opened} відкрито / open)"


def text(about: Sequence[Notice]) -> str:
    """The body: a line a notice, Ukrainian first."""
    parts = []
    for language in (0, 1):
        parts += [_line(each, language) for each in about]
        parts += ["", _ADVICE[language], ""]
    return "\n".join(parts)


def _line(notice: Notice, language: int) -> str:
    fault = notice.fault
    unix_ms = fault.opened_unix_ms if notice.event == "opened" else fault.closed_unix_ms
    moment = datetime.fromtimestamp((unix_ms or 0) / 1000, UTC).astimezone(ZoneInfo(_ZONE)).strftime("%d.%m %H:%M:%S")
    what = _KINDS[fault.kind][language]
    detail = f" ({fault.detail})" if fault.detail else ""
    return f"{moment}  {_place(fault)}: {_EVENTS[notice.event][language]}: {what}{detail}"


def _place(fault: Fault) -> str:
    if not fault.desk and fault.branch:
        return f"{fault.branch_name or fault.branch}: черга / queue"
    if not fault.desk:
        return "усі пульти / all pads"
    return f"{fault.branch_name}, {fault.label} ({fault.desk})" if fault.branch_name else fault.desk
