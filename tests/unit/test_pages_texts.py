"""Every text of the pages stands in the catalogue, in every language, and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.i18n import LOCALES, read_catalogue

API = LOCALES.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS: dict[str, tuple[object, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
QUARTER = {"%(quarter)d", "%(roman)s"}  # a language writes a quarter as a number or as a Roman one
CYRILLIC = re.compile(r"[\u0400-\u04ff]")
# Python modules of the pages; the wordings of the api's answers are a bilingual table of their own.
MODULES = (
    "pages",
    "rendering",
    "navigation",
    "overview_pages",
    "picture_words",
    "operator_pages",
    "operator_words",
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
    "signals_page",
    "publication/public_page",
    "publication/public_words",
)
QUOTES = {"uk": "«»", "cs": "„“", "et": "„“", "pl": "„”"}
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


def named_in(text: str) -> set[str]:
    """The values that a text names."""
    found = set(PLACEHOLDER.findall(text))
    return found - QUARTER | {"a quarter"} if found & QUARTER else found


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
def test_a_translation_names_the_values_of_its_original_and_no_other(language: str) -> None:
    known = catalogue(language)
    for context, message in used():
        originals = [message] if isinstance(message, str) else list(message)
        given = named_in(originals[-1])
        for text in translations(known, context, message):
            assert named_in(text) == given, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_per_cent_sign_in_a_text_with_values_is_written_twice(language: str) -> None:
    """What is filled by ``%`` would take a lone one for the beginning of a value; a text without values shows both."""
    known = catalogue(language)
    for context, message in used():
        original = message if isinstance(message, str) else message[-1]
        if "%%" not in original and not named_in(original):
            assert not [text for text in translations(known, context, message) if "%%" in text]
            continue
        for text in translations(known, context, message):
            assert "%" not in PLACEHOLDER.sub("", text).replace("%%", ""), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_says_whose_it_is_and_how_it_counts(language: str) -> None:
    """A subject's catalogue with other plural forms than the language's would be read with the wrong ones."""
    whole = catalogue(language)
    for path in sorted((LOCALES / language).glob("*.po")):
        with path.open("rb") as file:
            one = read_po(file, abort_invalid=True)
        assert str(one.locale) == language, path
        assert (one.num_plurals, one.plural_expr) == (whole.num_plurals, whole.plural_expr), path


def test_every_language_has_the_same_catalogues() -> None:
    subjects = {language: {path.name for path in (LOCALES / language).glob("*.po")} for language in LANGUAGES}
    assert {language: names ^ subjects["uk"] for language, names in subjects.items() if names != subjects["uk"]} == {}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"uk"}))
def test_no_translation_is_of_another_alphabet_or_left_in_english(language: str) -> None:
    """A sentence that is the English one letter for letter was forgotten; one with Cyrillic was copied."""
    known = catalogue(language)
    for context, message in used():
        original = message if isinstance(message, str) else message[0]
        for text in translations(known, context, message):
            assert CYRILLIC.findall(text) == [], text
            assert text != original or " " not in PLACEHOLDER.sub("", text).strip(), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_those_of_the_language(language: str) -> None:
    pair = QUOTES[language]
    for entry in catalogue(language):
        for text in [entry.string] if isinstance(entry.string, str) else list(entry.string or ()):
            marks = "".join(re.findall(r"[“”„«»‟\"]", text)) if entry.id else ""
            assert marks == pair * (len(marks) // 2), text


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
