"""The words that every answer with figures carries: what the scale is and how the figures were made. No arithmetic."""

from protocol.messages import BAD, EXEMPLARY, GOOD
from schemas.resources import ScaleStep

SCALE = (
    ScaleStep(rating=BAD, id="bad", name="Погано", name_en="Bad"),  # order P2.1
    ScaleStep(rating=GOOD, id="good", name="Добре", name_en="Good"),
    ScaleStep(rating=EXEMPLARY, id="exemplary", name="Зразково", name_en="Exemplary"),
)
METHOD = (
    "Частка – це кількість оцінок певного рівня, поділена на всі оцінки, з 95-відсотковим довірчим інтервалом Вілсона. "
    "Інтервал охоплює лише випадкову похибку: він нічого не каже про те, хто саме вирішив оцінити. "
    "Тому кожну частку слід читати разом із часткою відповідей: оцінки, поділені на виклики, у яких відвідувач міг "
    "оцінити (без неявок, переведень, відкладених і вилучених талонів, якщо оцінки в них немає). Виклик належить до "
    "того місцевого дня, коли відвідувача викликали. Шкала має один негативний і два позитивні рівні: позитивні не "
    "додаються в один."
)
METHOD_EN = (
    "A share is the votes of one level divided by all votes, with its Wilson 95 % interval. "
    "The interval covers sampling noise only: it says nothing about who chose to vote. "
    "So read each share together with its response rate: votes divided by the calls whose client could have voted "
    "(without no-shows, transfers, held and removed tickets that have no vote). "
    "A call belongs to the local day on which it was called. "
    "The scale has one negative and two positive levels: the positive ones are not added up into one."
)
