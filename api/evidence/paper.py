"""The evidence sheet of one sub-criterion on paper: its measures over time, trend, targets, caveats; never a score."""

from pathlib import Path
from typing import Any

from api import printing
from api.evidence.words import band_words, trend_word, written
from api.i18n import Language
from schemas.evidence_resources import Evidence, EvidenceItem, EvidenceMeasure, EvidenceTarget
from schemas.periods import Period

TEMPLATE = Path(__file__).parent / "sheet.typ"


def paper(evidence: Evidence, item: EvidenceItem, language: Language, organisation: str) -> bytes:
    """The PDF. Raises CannotPrint."""
    _ = language.gettext
    by_id = {each.id: each for each in evidence.measures}
    values = {
        "language": language.code,
        "title": f"{evidence.model}, {item.id}. {item.title}",
        "organisation": organisation,
        "model": f"{evidence.model} · {item.id}",
        "heading": item.title,
        "foot": " · ".join(_foot(evidence, language)),
        "about": [(_("Supports"), item.supports), (_("Does not support"), item.does_not_support)],
        "band": _band(item, language),
        "measures": [_measure(by_id[name], evidence.by, language) for name in item.measures],
        "notes": evidence.notes,
    }
    return printing.pdf(TEMPLATE, values, evidence.generated_at)


def _foot(evidence: Evidence, language: Language) -> list[str]:
    _ = language.gettext
    made = _("Made %(when)s") % {"when": language.moment(evidence.generated_at) + " UTC"}
    return [made, _("Simulated data")] if evidence.simulated else [made]


def _band(item: EvidenceItem, language: Language) -> dict[str, Any] | None:
    _ = language.gettext
    if item.band is None:
        return None
    return {
        "label": _("Where assessors may begin (classical panel of results)"),
        "range": band_words(item.band),
        "reasons": " ".join(item.band.reasons),
    }


def _measure(measure: EvidenceMeasure, by: Period, language: Language) -> dict[str, Any]:
    _ = language.gettext
    rows = []
    for each in measure.values:
        name = language.period(each.first, by)
        interval = (
            ""
            if each.low is None
            else f"{written(each.low, measure.unit, language)} – " + written(each.high, measure.unit, language)
        )
        response = language.share(each.response_rate) if each.response_rate is not None else ""
        n = language.number(each.n) if each.n is not None else ""
        marked = name if each.complete else _("%(period)s (not over)") % {"period": name}
        rows.append([marked, written(each.value, measure.unit, language), interval, n, response])
    heads = [_("Period"), _("Value"), _("95% interval"), _("Cases"), _("Response rate")]
    parts = [
        [each.name, written(each.value, measure.unit, language), "–" if each.n is None else language.number(each.n)]
        for each in measure.parts
    ]
    return {
        "title": measure.title,
        "definition": measure.definition,
        "table": _without_empty(heads, rows),
        "parts": {"heads": [_("Service"), _("Value"), _("Cases")], "rows": parts},
        "parts_heading": _("By service, in the last period that is over"),
        "facts": [
            (_("Trend"), f"{trend_word(measure.trend.verdict, language)}. {measure.trend.reason}"),
            (_("Target"), _targets(measure, language)),
            (_("Comparison"), _("None: no other office’s value of the same definition and scale is known here.")),
            (_("Caveats"), " ".join(measure.caveats)),
            (_("Source"), measure.source),
        ],
    }


def _without_empty(heads: list[str], rows: list[list[str]]) -> dict[str, Any]:
    """A table without the columns in which nothing stands."""
    kept = [n for n in range(len(heads)) if any(row[n] for row in rows)]
    return {"heads": [heads[n] for n in kept], "rows": [[row[n] for n in kept] for row in rows]}


def _targets(measure: EvidenceMeasure, language: Language) -> str:
    _ = language.gettext
    if not measure.targets:
        return _("None was set.")
    return " ".join(_target(each, measure, language) for each in measure.targets)


def _target(target: EvidenceTarget, measure: EvidenceMeasure, language: Language) -> str:
    _ = language.gettext
    wanted = {
        "period": target.period,
        "value": written(target.value, measure.unit, language),
        "day": language.day(target.set_on),
        "reached": written(target.reached, measure.unit, language),
    }
    sentence = (
        _("%(period)s: at least %(value)s, set on %(day)s.")
        if target.direction == "at_least"
        else _("%(period)s: at most %(value)s, set on %(day)s.")
    ) % wanted
    if target.met is None:
        return sentence + " " + _("The period is not over, or has no value.")
    outcome = _("Met: %(reached)s.") if target.met else _("Not met: %(reached)s.")
    doubt = "" if target.clear is not False else " " + _("Within chance of the target.")
    return sentence + " " + outcome % wanted + doubt
