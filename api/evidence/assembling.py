"""All evidence of a model as one resource, in one language."""

from datetime import UTC, datetime

from api.evidence.judging import Band, Judged, Why, band, judged, status_of, trend_of
from api.evidence.measures import Measure, measures
from api.evidence.model import Item, Model
from api.evidence.series import Part, Reader, Series, Value, period_of
from api.i18n import Language
from api.statistics import Trend, TrendClass
from collector.store import Store, Target
from schemas.evidence_resources import (
    Evidence,
    EvidenceItem,
    EvidenceMeasure,
    EvidencePart,
    EvidenceTarget,
    EvidenceTrend,
    EvidenceValue,
    NoEvidence,
    SuggestedBand,
)
from schemas.periods import Period, day_date


def assembled(store: Store, model: Model, language: Language, period: Period, now_unix_ms: int) -> Evidence:
    """The evidence of ``model`` by months, quarters or years. Raises StoreError."""
    series = Reader(store, period, now_unix_ms).series()
    asked = [name for item in model.items for name in item.measures]
    targets = store.reports.targets()
    found = [
        _measure(each, series[each.id], [one for one in targets if one.about.measure == each.id], language, period)
        for each in measures(language).values()
        if each.id in asked
    ]
    return Evidence(
        model=model.name,
        generated_at=datetime.fromtimestamp(now_unix_ms / 1000, UTC),
        simulated=store.register().organisation.simulated,
        language=language.code,
        by=period,
        items=[_item(each, series, targets, language) for each in model.items],
        measures=found,
        without=[NoEvidence(id=each.id, title=each.title, reason=each.reason) for each in model.without],
        notes=list(model.notes),
    )


def _item(item: Item, series: dict[str, Series], targets: list[Target], language: Language) -> EvidenceItem:
    suggestion = None
    if item.is_result:
        values = [series[name].values for name in item.tested]
        mine = [one for name in item.measures for one in _judged_of(name, series, targets)]
        measured = any(each.value is not None for name in item.measures for each in series[name].values)
        trends = [trend_of(each, has_better=True) for each in values]
        suggestion = _band(band(trends, status_of(mine), measured=measured), language)
    return EvidenceItem(
        id=item.id,
        title=item.title,
        strength=item.strength,
        supports=item.supports,
        does_not_support=item.lacks,
        measures=list(item.measures),
        band=suggestion,
    )


def _judged_of(name: str, series: dict[str, Series], targets: list[Target]) -> list[Judged]:
    return judged([each for each in targets if each.about.measure == name], series[name].values)


def _measure(
    measure: Measure, series: Series, targets: list[Target], language: Language, period: Period
) -> EvidenceMeasure:
    found = judged(targets, series.values)
    return EvidenceMeasure(
        id=measure.id,
        title=measure.title,
        definition=measure.definition,
        unit=measure.unit,
        better=measure.better,
        source=measure.source,
        values=[_value(each) for each in series.values],
        parts=[_part(each, language) for each in series.parts],
        trend=_trend(trend_of(series.values, has_better=measure.better is not None), measure, language),
        targets=[_target(each, period) for each in found],
        target_status=status_of(found),
        comparison="none",
        caveats=list(measure.caveats),
    )


def _value(value: Value) -> EvidenceValue:
    return EvidenceValue(
        period=value.span.name,
        first=value.span.first,
        last=value.span.last,
        complete=value.complete,
        value=value.value,
        low=value.low,
        high=value.high,
        n=value.n,
        response_rate=value.response_rate,
    )


def _part(part: Part, language: Language) -> EvidencePart:
    return EvidencePart(key=part.key, name=language.name_of(part), value=part.value, n=part.n)


def _target(found: Judged, period: Period) -> EvidenceTarget:
    about = found.target.about
    first, last = day_date(about.first_day), day_date(about.last_day)
    span = period_of(period, first)
    return EvidenceTarget(
        id=found.target.id,
        period=span.name if (span.first, span.last) == (first, last) else f"{first}/{last}",
        value=about.value,
        direction=about.direction,
        set_on=day_date(about.set_on),
        set_by=about.set_by,
        reached=found.reached,
        met=found.met,
        clear=found.clear,
    )


def _trend(found: Trend, measure: Measure, language: Language) -> EvidenceTrend:
    _ = language.gettext
    if measure.better is None:
        reason = _("Neither more nor less is better in itself.")
    elif found.verdict is TrendClass.CANNOT_TELL:
        reason = _("There are fewer than three periods with enough cases, so nobody can tell.")
    elif found.verdict is TrendClass.FLAT:
        reason = _("No change that is both beyond chance and at least three points.")
    else:
        reason = _("The ordinal trend is beyond chance (5%) and the change is at least three points.")
    if found.response_moved:
        reason += " " + _("Response rates moved by more than ten points, so who votes may have changed.")
    return EvidenceTrend(
        verdict=found.verdict.value, periods=found.periods, change=found.change, p=found.p, reason=reason
    )


def _band(found: Band, language: Language) -> SuggestedBand:
    _ = language.gettext
    words: dict[Why, str] = {
        "nothing": _("Nothing is measured yet."),
        "few_periods": _("No trend can be told, which caps the band at 50."),
        "declining": _("A trend declines."),
        "flat": _("No trend moves beyond chance."),
        "improving": _("A trend improves."),
        "no_targets": _("No target was set beforehand for a period that is over."),
        "none_met": _("None of the targets was met."),
        "some_met": _("Some of the targets were met."),
        "most_met": _("Most of the targets were met."),
        "all_met": _("All targets were met."),
        "no_comparison": _("There is no comparison with another office."),
    }
    return SuggestedBand(low=found.low, high=found.high, reasons=[words[each] for each in found.why])
