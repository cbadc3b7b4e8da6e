"""Open data in their files: CSV, Frictionless data package, DCAT-AP, the national portal's register. Pure.

Everything here is made of contents of editions (contents.py) and of who publishes them; nothing else is known to it.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.publication.rdf import Node, Text, Typed, Uri
from api.publication.rules import MIN_OPERATORS, MIN_VOTES
from api.wording import METHOD, METHOD_EN, SCALE
from schemas.edition_resources import EditionContent, PublishedCell

LICENCE = ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/")
TITLE = "Оцінки якості обслуговування у центрі надання адміністративних послуг"
TITLE_EN = "Ratings of service at the citizen service centre"
DESCRIPTION = (
    "Кількість викликів і оцінок «Погано», «Добре», «Зразково» за місяцями, кварталами й роками: по центру, філіях, "
    "напрямах і послугах. Показники, за якими можна було б дізнатися про окрему людину, приховано з кодом причини."
)
DESCRIPTION_EN = (
    "Calls and votes bad, good and exemplary by month, quarter and year: of the centre, its branches, directions and "
    "services. Figures from which something could be learnt of a single person are withheld, with a code that says why."
)
KEYWORDS = ("адміністративні послуги", "якість", "оцінки", "ЦНАП", "administrative services", "quality", "ratings")
CODES: Sequence[tuple[str, str, str]] = (
    ("published", "показник опубліковано", "the figure is published"),
    ("none", "викликів не було: усі числа – нулі", "no client was called: all counts are zero"),
    ("small", f"оцінок менше ніж {MIN_VOTES}", f"fewer than {MIN_VOTES} votes"),
    (
        "few_operators",
        f"оцінки отримали менше ніж {MIN_OPERATORS} операторів, або майже всі отримав один",
        f"the votes are those of fewer than {MIN_OPERATORS} operators, or nearly all of one",
    ),
    (
        "alike",
        "усі оцінки однакові; відомо лише, що певний рівень має понад 95 %",
        "all votes are the same; only told is which rating has more than 95 %",
    ),
    (
        "secondary",
        "з цього показника можна було б вирахувати інший, прихований",
        "from this figure another one that is withheld could be worked out",
    ),
    (
        "withheld",
        "приховано; сама причина сказала б забагато, наприклад у порівнянні з попередньою редакцією",
        "withheld; the reason itself would tell too much, as in a comparison with the edition before",
    ),
)
# name, type, description
FIELDS: Sequence[tuple[str, str, str]] = (
    ("period", "string", "2026-11, 2026-Q4 or 2026"),
    ("kind", "string", "month, quarter or year"),
    ("from", "date", "first day of the period"),
    ("to", "date", "last day of the period"),
    ("edition", "integer", "number of the edition of this period; a correction has a higher one"),
    ("cut", "string", "centre, branch, direction or service"),
    ("key", "string", "id of the branch, direction or service; empty of the centre and of what is not named"),
    ("direction", "string", "of a service: the id of its direction"),
    ("name", "string", "name in the period, in Ukrainian"),
    ("name_en", "string", "name in the period, in English"),
    ("code", "string", "whether the figure is published, or why not (codes.csv)"),
    ("calls", "integer", "clients called to a desk"),
    ("eligible_calls", "integer", "calls whose client could have voted"),
    ("votes", "integer", "clients who voted"),
    ("bad", "integer", "votes of rating 1"),
    ("good", "integer", "votes of rating 2"),
    ("exemplary", "integer", "votes of rating 3"),
    ("alike", "string", "of code alike: the rating that more than 95 % of the votes have"),
)
PORTAL = (
    "identifier", "title", "description", "accrualPeriodicity", "keyword", "purpose", "landingPage",
    "distributionFormat", "publisherName", "publisherIdentifier", "contactPointFn", "contactPointHasEmail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, and where: ``address`` is that of the office's pages, without a slash at its end."""

    address: str
    name: str
    name_en: str
    identifier: str
    contact_name: str
    contact_email: str


def ratings_csv(editions: Iterable[EditionContent]) -> bytes:
    """One row a period and place. A count that is not published is empty, never 0."""
    return _csv(
        (name for name, _, _ in FIELDS), (_row(edition, cell) for edition in editions for cell in edition.cells)
    )


def codes_csv() -> bytes:
    return _csv(("code", "name", "name_en"), CODES)


def scale_csv() -> bytes:
    return _csv(
        ("rating", "id", "name", "name_en"), ((step.rating, step.id, step.name, step.name_en) for step in SCALE)
    )


def data_package(publisher: Publisher, editions: Sequence[EditionContent], *, name: str) -> bytes:
    """``datapackage.json`` beside ratings.csv, codes.csv and scale.csv (Frictionless Data Package, Table Schema)."""
    fields = [{"name": field, "type": kind, "description": text} for field, kind, text in FIELDS]
    document = {
        "name": name,
        "title": f"{TITLE} / {TITLE_EN}",
        "description": f"{DESCRIPTION}\n\n{METHOD}\n\n{DESCRIPTION_EN}\n\n{METHOD_EN}",
        "homepage": f"{publisher.address}/open-data",
        "created": max((edition.published_at.isoformat() for edition in editions), default=None),
        "licenses": [{"name": LICENCE[0], "path": LICENCE[1]}],
        "contributors": [{"title": publisher.name, "role": "publisher"}],
        "keywords": list(KEYWORDS),
        "resources": [
            _table(
                "ratings", fields, keys=[{"fields": ["code"], "reference": {"resource": "codes", "fields": ["code"]}}]
            ),
            _table("codes", [{"name": each, "type": "string"} for each in ("code", "name", "name_en")]),
            _table(
                "scale",
                [{"name": "rating", "type": "integer"}]
                + [{"name": each, "type": "string"} for each in ("id", "name", "name_en")],
            ),
        ],
    }
    kept = {key: value for key, value in document.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, indent=1).encode()


def catalogue(publisher: Publisher, editions: Sequence[EditionContent]) -> list[Node]:
    """The DCAT-AP 3 description: a catalogue with one dataset, its files, its publisher and whom to ask."""
    here = f"{publisher.address}/open-data"
    newest = max((edition.published_at for edition in editions), default=None)
    oldest = min((edition.published_at for edition in editions), default=None)
    common = [
        ("dct:publisher", Uri(f"{here}#publisher")),
        ("dct:language", Uri(f"{_EU}/language/UKR")),
        ("dct:language", Uri(f"{_EU}/language/ENG")),
        *((("dct:modified", Typed(newest.isoformat(), "xsd:dateTime")),) if newest else ()),
        *((("dct:issued", Typed(oldest.isoformat(), "xsd:dateTime")),) if oldest else ()),
    ]
    titles = [("dct:title", Text(TITLE, "uk")), ("dct:title", Text(TITLE_EN, "en"))]
    words = [("dct:description", Text(DESCRIPTION, "uk")), ("dct:description", Text(DESCRIPTION_EN, "en"))]
    files = _files(publisher, editions)
    dataset = [
        *titles,
        *words,
        *common,
        ("dct:identifier", Text(f"{here}#ratings")),
        ("dct:accrualPeriodicity", Uri(f"{_EU}/frequency/MONTHLY")),
        ("dct:accessRights", Uri(f"{_EU}/access-right/PUBLIC")),
        ("dcat:theme", Uri(f"{_EU}/data-theme/GOVE")),
        ("dcat:landingPage", Uri(here)),
        ("dcat:contactPoint", Uri(f"{here}#contact")),
        *(("dcat:keyword", Text(word, "uk" if ord(word[0]) > 1000 else "en")) for word in KEYWORDS),
        *((("dct:temporal", Uri(f"{here}#time")),) if editions else ()),
        *(("dcat:distribution", file.subject) for file in files),
    ]
    return [
        Node(Uri(here), "dcat:Catalog", [*titles, *words, *common, ("foaf:homepage", Uri(here)),
             ("dcat:dataset", Uri(f"{here}#ratings"))]),
        Node(Uri(f"{here}#ratings"), "dcat:Dataset", dataset),
        Node(Uri(f"{here}#publisher"), "foaf:Agent", [("foaf:name", Text(publisher.name, "uk")),
             ("foaf:name", Text(publisher.name_en, "en"))]),
        Node(Uri(f"{here}#contact"), "vcard:Organization", _contact(publisher)),
        *_time(here, editions),
        *files,
    ]  # fmt: skip


def portal_csv(publisher: Publisher) -> bytes:
    """The row of the national open data portal's register (domain study 7)."""
    here = f"{publisher.address}/open-data"
    row = (
        f"{here}#ratings", TITLE, DESCRIPTION, f"{_EU}/frequency/MONTHLY", "; ".join(KEYWORDS),
        "Аналіз якості адміністративних послуг", here, "CSV; JSON", publisher.name, publisher.identifier,
        publisher.contact_name, publisher.contact_email,
    )  # fmt: skip
    return _csv(PORTAL, [row])


_CODE_KEY = {"fields": ["code"], "reference": {"resource": "codes", "fields": ["code"]}}
_EU = "http://publications.europa.eu/resource/authority"
_IANA = "https://www.iana.org/assignments/media-types"


def _row(edition: EditionContent, cell: PublishedCell) -> tuple[object, ...]:
    return (
        edition.period, edition.kind, edition.first.isoformat(), edition.last.isoformat(), edition.number,
        cell.cut, cell.key, cell.direction, cell.name, cell.name_en, cell.code,
        cell.calls, cell.eligible_calls, cell.votes, cell.bad, cell.good, cell.exemplary, cell.alike,
    )  # fmt: skip


def _csv(header: Iterable[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180, UTF-8 without a mark, as statistical programs read it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue().encode()


def _table(name: str, fields: list[dict[str, Any]], keys: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if keys:
        schema["foreignKeys"] = keys
    return {
        "name": name,
        "path": f"{name}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "profile": "tabular-data-resource",
        "schema": schema,
    }


def _contact(publisher: Publisher) -> list[tuple[str, Uri | Text | Typed]]:
    found: list[tuple[str, Uri | Text | Typed]] = [("vcard:fn", Text(publisher.contact_name or publisher.name))]
    if publisher.contact_email:
        found.append(("vcard:hasEmail", Uri(f"mailto:{publisher.contact_email}")))
    return found


def _time(here: str, editions: Sequence[EditionContent]) -> list[Node]:
    if not editions:
        return []
    first, last = min(each.first for each in editions), max(each.last for each in editions)
    days: list[tuple[str, Uri | Text | Typed]] = [
        ("dcat:startDate", Typed(first.isoformat(), "xsd:date")),
        ("dcat:endDate", Typed(last.isoformat(), "xsd:date")),
    ]
    return [Node(Uri(f"{here}#time"), "dct:PeriodOfTime", days)]


def _files(publisher: Publisher, editions: Sequence[EditionContent]) -> list[Node]:
    """The file of all periods, and of each period the edition that holds."""
    here = f"{publisher.address}/open-data"
    named = [(f"{here}/ratings.csv", "CSV", "text/csv", TITLE_EN)]
    for edition in editions:
        base = f"{edition.period}/{edition.number}"
        named.append((f"{here}/editions/{base}/ratings.csv", "CSV", "text/csv", f"{edition.period}, {edition.number}"))
        address = f"{publisher.address}/v1/open-data/editions/{base}"
        named.append((address, "JSON", "application/json", f"{edition.period}, {edition.number}"))
    return [
        Node(
            Uri(f"{address}#file"),
            "dcat:Distribution",
            [
                ("dcat:accessURL", Uri(address)),
                ("dcat:downloadURL", Uri(address)),
                ("dct:title", Text(title)),
                ("dct:format", Uri(f"{_EU}/file-type/{kind}")),
                ("dcat:mediaType", Uri(f"{_IANA}/{media}")),
                ("dct:license", Uri(f"{_EU}/licence/CC_BY_4_0")),
            ],
        )
        for address, kind, media, title in named
    ]
