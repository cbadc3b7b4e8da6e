"""Every text of the pages stands in the catalogue, in every language, and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from api.i18n import LOCALES, read_catalogue

API = LOCALES.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS: dict[str, tuple[object, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
# Python modules of the pages; the api's own wordings and purposes are bilingual tables of their own.
MODULES = (
    "pages",
    "rendering",
    "navigation",
    "overview_pages",
    "picture_words",
    "i18n",
    "charts",
    "live_page",
    "try_page",
    "figures_page",
    "figures_answers",
    "device_words",
    "devices_page",
    "fleet_pages",
    "report_page",
    "rollout_page",
    "register_page",
    "register_pages",
)
Used = tuple[str | None, str | tuple[str, ...]]


def used() -> Iterator[Used]:
    for _, _, message, _, context in extract_from_dir(API, METHODS, keywords=KEYWORDS):  # type: ignore[arg-type]
        yield context, message


def catalogue(language: str) -> Catalog:
    return read_catalogue(LOCALES / language)


def translations(known: Catalog, context: str | None, message: str | tuple[str, ...]) -> list[str]:
    entry = known.get(message if isinstance(message, str) else message[0], context)
    if entry is None:
        return []
    return [entry.string] if isinstance(entry.string, str) else list(entry.string or ())


LANGUAGES = sorted(path.parent.name for path in LOCALES.glob("*/messages.po"))


def test_the_pages_use_texts_and_ukrainian_is_one_of_their_languages() -> None:
    assert len(set(used())) > 100
    assert "uk" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_used_is_translated(language: str) -> None:
    known = catalogue(language)
    missing = [message for context, message in used() if not all(translations(known, context, message) or [""])]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_names_no_value_that_its_original_does_not(language: str) -> None:
    known = catalogue(language)
    for context, message in used():
        originals = {message} if isinstance(message, str) else set(message)
        given = {name for text in originals for name in PLACEHOLDER.findall(text)}
        given |= {"%(roman)s", "%(year)d"} if "%(quarter)d" in given else set()
        for text in translations(known, context, message):
            assert set(PLACEHOLDER.findall(text)) <= given, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_as_many_forms_as_its_language(language: str) -> None:
    known = catalogue(language)
    for context, message in used():
        if isinstance(message, tuple):
            assert len(translations(known, context, message)) == known.num_plurals, message


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_in_the_catalogue_is_left_over(language: str) -> None:
    in_use = {(context, message if isinstance(message, str) else message[0]) for context, message in used()}
    entries = [entry for entry in catalogue(language) if entry.id]
    left = [
        entry.id
        for entry in entries
        if (entry.context, entry.id if isinstance(entry.id, str) else entry.id[0]) not in in_use
    ]
    assert left == []


def files() -> list[Path]:
    found = list((API / "templates").rglob("*.html"))
    found += [path for kind in ("js", "css", "img") for path in (API / "static" / kind).rglob("*") if path.is_file()]
    return found + [API / f"{name}.py" for name in MODULES]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(API)))
def test_no_ukrainian_stands_outside_the_catalogue(path: Path) -> None:
    assert CYRILLIC.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((API / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_hold_no_sentence_of_their_own(path: Path) -> None:
    code = re.sub(r"^\s*(//|\*|/\*).*$|\s//\s.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sentences = [text for text in re.findall(r'"([^"]*)"', code) if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,} ", text)]
    assert sentences == []
