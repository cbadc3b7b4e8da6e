"""Rules of reports that need no database."""

from api.reports.rows import harmless


def test_a_spreadsheet_sees_no_formula_in_a_name() -> None:
    assert [harmless(each) for each in ("=1+1", "+3", "-x", "@a", "Passport", "")] == [
        "'=1+1",
        "'+3",
        "'-x",
        "'@a",
        "Passport",
        "",
    ]
