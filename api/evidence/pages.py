"""The page *Evidence*: what the data support of CAF or of certification, and what they do not. It gives no score."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from api.auth import require
from api.evidence import model
from api.evidence.assembling import assembled
from api.evidence.words import band_words, trend_word, written
from api.i18n import Language
from api.parts import parts_of
from api.rendering import Renderer
from collector.store import Token
from schemas.evidence_resources import Evidence, EvidenceItem, EvidenceMeasure
from schemas.periods import Period

router = APIRouter(include_in_schema=False)
MODELS = {"caf": model.caf, "certification": model.certification}


@router.get("/evidence")
def evidence(request: Request, token: Annotated[Token, require("evidence", page=True)]) -> Response:
    """One model by months, quarters or years; what is asked stands in the address."""
    renderer: Renderer = request.app.state.pages
    language = renderer.language_of(request)
    which = request.query_params.get("model", "caf")
    which = which if which in MODELS else "caf"
    asked = request.query_params.get("period", "quarter")
    period = Period(asked) if asked in ("month", "quarter", "year") else Period.QUARTER
    made = MODELS[which](language)
    found = assembled(parts_of(request).store, made, language, period, time.time_ns() // 1_000_000)
    _ = language.gettext
    values = {
        "which": which,
        "models": [(name, each(language).name) for name, each in MODELS.items()],
        "period": str(period),
        "periods": [("month", _("Month")), ("quarter", _("Quarter")), ("year", _("Year"))],
        "items": [_item(each, found, language) for each in found.items],
        "without": found.without,
        "notes": found.notes,
    }
    return renderer.page(request, "evidence.html", values, frame=renderer.frame(token))


def _item(item: EvidenceItem, found: Evidence, language: Language) -> dict[str, Any]:
    by_id = {each.id: each for each in found.measures}
    return {
        "id": item.id,
        "title": item.title,
        "supports": item.supports,
        "lacks": item.does_not_support,
        "band": band_words(item.band),
        "reasons": " ".join(item.band.reasons) if item.band else "",
        "measures": [_measure(by_id[name], found.by, language) for name in item.measures],
    }


def _measure(measure: EvidenceMeasure, by: Period, language: Language) -> dict[str, Any]:
    return {
        "title": measure.title,
        "definition": measure.definition,
        "trend": trend_word(measure.trend.verdict, language),
        "reason": measure.trend.reason,
        "targets": len(measure.targets),
        "caveats": " ".join(measure.caveats),
        "values": [
            {
                "when": language.period(each.first, by),
                "complete": each.complete,
                "value": written(each.value, measure.unit, language),
                "interval": ""
                if each.low is None
                else f"{written(each.low, measure.unit, language)} – {written(each.high, measure.unit, language)}",
                "n": "" if each.n is None else language.number(each.n),
            }
            for each in measure.values
        ],
    }
