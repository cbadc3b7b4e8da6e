"""Reports as they are handed over: what stands in the PDF, the workbook and the CSV, and that all of it agrees."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from api.aggregates import Question, answered
from api.i18n import load_languages
from api.reports import chore
from api.reports.content import Content
from api.reports.gathering import gather
from api.reports.making import make
from api.reports.order import Order
from api.reports.paper import paper
from api.reports.rows import HEAD, csv_file
from api.reports.sheets import workbook
from api.reports.text import Text
from api.settings import Settings
from collector.store import Store
from schemas.periods import Period
from schemas.register import Branch, Desk, Organisation, Register, Service
from tests.contract.api_office import BRANCH_OF, KYIV, Office
from tests.contract.reports_city import MONTH, NOW_UNIX_MS, laid_down

LANGUAGES = load_languages()
CENTRE = Order(cut="centre", period=Period.MONTH, day=MONTH, language="uk")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with laid_down(tmp_path_factory.mktemp("city")) as store:
        yield store


@pytest.fixture(scope="module")
def centre(city: Store) -> Content:
    return gather(city, CENTRE, NOW_UNIX_MS)


@pytest.fixture(scope="module")
def printed(centre: Content) -> bytes:
    return paper(Text(centre, LANGUAGES["uk"]))


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader(pdf).pages).split())


def objects(pdf: PdfReader) -> Iterator[Any]:
    for number in range(1, len(pdf.xref[0]) + 2):
        yield pdf.get_object(IndirectObject(number, 0, pdf))


# ---- the PDF
def test_the_pdf_is_tagged_has_a_language_a_title_and_says_which_standards_it_keeps(printed: bytes) -> None:
    pdf = reader(printed)
    root = pdf.root_object
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "uk"
    assert "/StructTreeRoot" in root
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Оцінки послуг. Увесь центр. Березень 2026"
    xmp = root["/Metadata"].get_data().decode()
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp


def test_every_chart_has_words_for_those_who_do_not_see_it_and_no_picture_is_a_raster(printed: bytes) -> None:
    described = [each["/Alt"] for each in objects(reader(printed)) if isinstance(each, dict) and "/Alt" in each]
    assert len([each for each in described if "Погано" in each or "Частка" in each]) >= 5
    assert all(re.search(r"\d,\d\s?%", each) for each in described)
    rasters = [each for each in objects(reader(printed)) if isinstance(each, dict) and each.get("/Subtype") == "/Image"]
    assert rasters == []


def test_only_the_programs_own_fonts_are_in_it(printed: bytes) -> None:
    fonts = {
        str(each["/BaseFont"]) for each in objects(reader(printed)) if isinstance(each, dict) and "/BaseFont" in each
    }
    assert fonts
    assert all("SourceSans3" in each for each in fonts)


def test_the_pdf_says_the_figures_that_the_api_says(city: Store, centre: Content, printed: bytes) -> None:
    asked = Question.model_validate({"by": "centre", "from": "2026-03-01", "to": "2026-03-31"})
    (cell,) = answered(city, asked, NOW_UNIX_MS).cells
    language, text = LANGUAGES["uk"], words(printed)
    for figure in (cell.bad, cell.good, cell.exemplary):
        assert language.share(figure.share) in text
        assert figure.low is not None and figure.high is not None
        assert language.interval(figure.low, figure.high) in text
    squeezed = text.replace("\u00a0", " ")
    for number in (cell.calls, cell.eligible_calls, cell.votes):
        assert language.number(number).replace("\u00a0", " ") in squeezed
    assert "Змодельовані дані" in text
    assert "Як читати ці показники" in text


def test_the_same_figures_make_the_same_bytes(centre: Content, printed: bytes) -> None:
    assert paper(Text(centre, LANGUAGES["uk"])) == printed


def test_english_speaks_english(centre: Content) -> None:
    pdf = paper(Text(replace(centre, order=replace(CENTRE, language="en")), LANGUAGES["en"]))
    assert reader(pdf).root_object["/Lang"] == "en"
    text = words(pdf)
    assert "Ratings of services" in text
    assert "Month by month" in text
    assert not re.search("[\u0400-\u04ff]", text)


# ---- workbook and CSV
def test_the_workbook_holds_numbers_that_are_numbers_and_the_apis_own(city: Store, centre: Content) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(Text(centre, LANGUAGES["en"]))))
    assert book.sheetnames == [
        "Report",
        "Periods",
        "Branches",
        "Directions",
        "Services",
        *_changes(book),
        "Pads",
        "Method",
    ]
    sheet = book["Branches"]
    heads = [cell.value for cell in sheet[1]]
    asked = Question.model_validate({"by": "branch", "from": "2026-03-01", "to": "2026-03-31"})
    cells = answered(city, asked, NOW_UNIX_MS).cells
    assert sheet.max_row == 1 + len(cells)
    for row, cell in enumerate(cells, 2):
        found = {head: sheet.cell(row, column) for column, head in enumerate(heads, 1)}
        assert found["Id"].value == cell.branch
        for head, value in {
            "Calls": cell.calls,
            "Could vote": cell.eligible_calls,
            "Votes": cell.votes,
            "Bad": cell.bad.count,
            "Response rate": cell.response_rate.share,
            "Bad, share": cell.bad.share,
            "Exemplary, interval from": cell.exemplary.low,
        }.items():
            assert found[head].data_type == "n"
            assert found[head].value == pytest.approx(value, abs=1e-9)
        assert found["Bad, share"].number_format == "0.0%"
        assert found["Calls"].number_format == "#,##0"
        assert found["from"].is_date


def _changes(book: Any) -> list[str]:
    return ["Changes"] if "Changes" in book.sheetnames else []


def test_the_workbook_is_ready_to_be_worked_with_and_printed(centre: Content) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(Text(centre, LANGUAGES["uk"]))))
    assert book.properties.title == "Оцінки послуг. Увесь центр. Березень 2026"
    sheet = book["Послуги"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref is not None
    assert sheet.column_dimensions["B"].width > 20
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$1:$1"
    assert book["Методика"]["A1"].value == "Що пораховано"


def test_no_cell_of_the_workbook_is_a_formula(centre: Content) -> None:
    evil = replace(centre.branches[0], what=replace(centre.branches[0].what, name="=1+1", name_en="=1+1"))
    text = Text(replace(centre, branches=(evil, *centre.branches[1:])), LANGUAGES["en"])
    book = openpyxl.load_workbook(io.BytesIO(workbook(text)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert "'=1+1" in csv_file(text).decode("utf-8-sig")


def test_the_csv_says_the_same_with_iso_dates_points_and_a_byte_order_mark(city: Store, centre: Content) -> None:
    body = csv_file(Text(centre, LANGUAGES["uk"]))
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert list(rows[0]) == list(HEAD)
    asked = Question.model_validate({"by": "branch", "from": "2026-03-01", "to": "2026-03-31"})
    by_branch = {row["id"]: row for row in rows if row["table"] == "branch"}
    for cell in answered(city, asked, NOW_UNIX_MS).cells:
        row = by_branch[cell.branch or ""]
        assert (row["from"], row["to"], row["complete"]) == ("2026-03-01", "2026-03-31", "true")
        assert int(row["calls"]) == cell.calls
        assert int(row["bad"]) == cell.bad.count
        assert float(row["bad_share"]) == cell.bad.share
        left = sum(int(row[name]) for name in row if name.startswith("left_out_"))
        assert left == cell.calls - cell.eligible_calls
    months = [row["id"] for row in rows if row["table"] == "period"]
    assert months == ["2025-12", "2026-01", "2026-02", "2026-03"]


def test_a_hidden_cell_is_named_and_has_no_number_in_any_of_the_three(city: Store) -> None:
    day = Order(cut="branch", key="tsentr", period=Period.DAY, day=date(2026, 3, 3), language="en")
    content = gather(city, day, NOW_UNIX_MS)
    hidden = [each.what.id for each in content.services if each.hidden]
    assert hidden
    text = Text(content, LANGUAGES["en"])
    rows = csv.DictReader(io.StringIO(csv_file(text).decode("utf-8-sig"), newline=""))
    of_hidden = [row for row in rows if row["table"] == "service" and row["id"] in hidden]
    assert [row["votes"] for row in of_hidden] == ["hidden"] * len(hidden)
    book = openpyxl.load_workbook(io.BytesIO(workbook(text)))
    shown = {row[0].value: row for row in book["Services"].iter_rows(min_row=2)}
    assert all(shown[each][4].value == "not shown" for each in hidden)
    assert "Not shown: fewer than three operators stand behind it" in words(paper(text))


def test_branches_add_up_to_the_centre_and_directions_to_their_services(centre: Content) -> None:
    for name in ("calls", "eligible", "bad", "good", "exemplary"):
        assert sum(getattr(each.now, name) for each in centre.branches) == getattr(centre.now, name)
    assert centre.now == next(each.tally for each in centre.times if each.span.name == "2026-03")


def test_hours_of_the_day_are_shown_once_the_night_has_made_the_mix(tmp_path: Any) -> None:
    with laid_down(tmp_path) as store:
        assert gather(store, CENTRE, NOW_UNIX_MS).hours == ()
        store.totals.make_mix(NOW_UNIX_MS)
        content = gather(store, CENTRE, NOW_UNIX_MS)
        hours = [each.hour for each in content.hours]
        assert hours == sorted(hours)
        assert set(hours) <= set(range(7, 21))
        assert sum(each.tally.votes for each in content.hours) <= content.now.votes
        assert "Hour by hour" in words(paper(Text(content, LANGUAGES["en"])))


# ---- offices unlike the usual
@pytest.mark.parametrize("votes", [0, 1])
def test_a_month_with_hardly_a_vote_is_a_report_too(tmp_path: Any, votes: int) -> None:
    office = Office(tmp_path)
    with office.store:
        office.call("centre-1", _at(2), rating=3 if votes else None)
        content = gather(office.store, CENTRE, NOW_UNIX_MS)
        text = Text(content, LANGUAGES["en"])
        said = words(paper(text))
        assert ("1 client was called, none voted." in said) == (votes == 0)
        assert ("Few votes: these shares say next to nothing." in said) == (votes == 1)
        assert openpyxl.load_workbook(io.BytesIO(workbook(text)))["Branches"].max_row >= 2
        assert len(csv_file(text).splitlines()) > 2


def test_an_office_that_began_this_month_has_nothing_to_compare_with(tmp_path: Any) -> None:
    office = Office(tmp_path)
    with office.store:
        for _ in range(12):
            office.call("centre-1", _at(3), rating=3)
        content = gather(office.store, CENTRE, NOW_UNIX_MS)
        assert Text(content, LANGUAGES["en"]).summary() == ["There is no earlier period to compare with."]
        assert [each.span.name for each in content.times] == ["2026-03"]


def test_forty_branches_with_the_longest_names_fit(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    long_uk = "Територіальний підрозділ для мешканців віддалених громад і сіл, що приєдналися, номер %d"
    register = Register(
        organisation=Organisation(name="Ц" * 120, name_en="C" * 120, simulated=True),
        branches=tuple(
            Branch(id=f"b-{n}", name=long_uk % n, name_en=f"Territorial branch for remote communities {n} " + "x" * 70)
            for n in range(40)
        ),
        services=(Service(id="passport", name="Паспорт", name_en="Passport"),),
        desks=tuple(Desk(id=f"b-{n}-1", branch=f"b-{n}", label="1") for n in range(40)),
    )
    office = _office(tmp_path, register)
    with office.store:
        for n in range(40):
            monkeypatch.setitem(BRANCH_OF, f"b-{n}-1", f"b-{n}")
            for rating in (1, 3, 3):
                office.call(f"b-{n}-1", _at(1 + n % 28), rating=rating)
        said = words(paper(Text(gather(office.store, CENTRE, NOW_UNIX_MS), LANGUAGES["uk"])))
        assert all(f"номер {n}" in said for n in range(40))


def _at(day: int) -> Any:
    from datetime import datetime

    return datetime(2026, 3, day, 10, 30, tzinfo=KYIV)


def _office(folder: Any, register: Register) -> Office:
    office = Office(folder)
    office.store.load_register(register)
    return office


# ---- made once, kept for good
def test_a_report_stays_what_it_was_and_a_later_one_is_another(city: Store) -> None:
    order = replace(CENTRE, language="en")
    first = make(city, order, LANGUAGES)
    before = {each.format: city.reports.body(first.id, each.format) for each in first.files}
    second = make(city, order, LANGUAGES)
    assert second.id != first.id
    assert {each.format: city.reports.body(first.id, each.format) for each in first.files} == before
    assert [each.format for each in city.reports.report(first.id).files] == [each.format for each in first.files]


def test_the_chore_makes_what_is_due_once_and_not_before_its_day(tmp_path: Any) -> None:
    office = Office(tmp_path)
    settings = Settings(database_url=office.url, reports_day=5, default_language="en")
    with office.store:
        office.call("centre-1", _at(4), rating=2)
        assert chore.run(office.store, settings, NOW_UNIX_MS - 24 * 3600 * 1000) == []
        said = chore.run(office.store, settings, NOW_UNIX_MS)
        assert [each.partition(": ")[2] for each in said] == ["centre 2026-03 (en).", "branch centre 2026-03 (en)."]
        assert chore.run(office.store, settings, NOW_UNIX_MS) == []
        assert {each.about.cut for each in office.store.reports.reports()} == {"centre", "branch"}
        assert {each.about.made_by for each in office.store.reports.reports()} == {""}
        assert all(each.about.first_day == 20260301 for each in office.store.reports.reports(period="month"))


def test_a_quarter_a_week_and_a_year_are_reports_too(city: Store) -> None:
    for period, name in ((Period.QUARTER, "Q1 2026"), (Period.WEEK, "Week 9, 2026"), (Period.YEAR, "2026")):
        content = gather(city, Order(cut="centre", period=period, day=date(2026, 3, 1), language="en"), NOW_UNIX_MS)
        text = Text(content, LANGUAGES["en"])
        assert text.period == name
        assert name in words(paper(text))
