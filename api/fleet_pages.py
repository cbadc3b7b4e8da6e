"""The pages for those who look after pads, and the one for an operator whose pad is dark. They work as plain forms.

Looking needs the scope ``devices``, asking something of a pad ``control``, reporting a dark one ``report``. What could
be regretted is asked twice: the first press leads to a page that says what will happen. After a POST the browser is
sent on (303), so that going back or loading anew asks nothing a second time. A form's address is one step below that
of its page, where the reader comes back to if the session was over (api/auth.py).
"""

import time
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api import nightly
from api.access.reach import desk_within, in_branches, only_branches
from api.auth import require
from api.devices_page import HISTORY, DevicesPage, Filters, Seen, last_settings
from api.errors import BadRequestBody, NoSuchThing
from api.fleet import DeskName, understood
from api.forms import form_fields
from api.i18n import Language
from api.livestate import FAULTS
from api.parts import parts_of
from api.rendering import Renderer
from api.report_page import choice_values, report_values
from api.rollout_page import STAGES, WISHES, plan_words, rollout_value, updates_values
from api.session import local_path
from collector.store import Rollout, RolloutPad, Store, Token
from schemas.fleet_resources import AskBody, RolloutBody, SettingsBody

router = APIRouter(include_in_schema=False)
Looker = Annotated[Token, require("devices", page=True)]
BranchLooker = Annotated[Token, require("devices", page=True, within_limits=True)]
Reporter = Annotated[Token, require("report", page=True, within_limits=True)]
Asker = Annotated[Token, require("devices", "control", page=True)]
Fields = Annotated[dict[str, str], Depends(form_fields)]
Body = TypeVar("Body", AskBody, SettingsBody, RolloutBody)
RECENT_COMMANDS = 500
ROLLOUTS = 5


# ---- devices
@router.get("/devices")
def devices(request: Request, token: BranchLooker) -> Response:
    """Every pad; what the list is narrowed to stands in the address."""
    renderer, store, language = _at_hand(request)
    seen = _seen(store, only_branches(token))
    values = DevicesPage(seen, language).values(Filters.of(request.query_params))
    newest = _rollouts(store, 1) if not token.limits.any else []
    values["rollout"] = rollout_value(seen.register, *newest[0], language, _now()) if newest else None
    values["nightly_failed"] = nightly.failed(store.nights.last())
    values["sums_differ"] = sum(check.differ for last in store.totals.reconciled() for check in last.checks)
    return renderer.page(request, "devices.html", values | _may(request, token), frame=renderer.frame(token))


@router.get("/devices/{desk}")
def device(request: Request, desk: DeskName, token: BranchLooker) -> Response:
    """One desk's pad with its history."""
    renderer, store, language = _at_hand(request)
    seen = _seen(store, only_branches(token))
    page = DevicesPage(seen, language)
    pad = next((each for each in seen.pads if each.desk == desk), None)
    if pad is None:
        raise NoSuchThing(f"There is no desk {desk!r} in the register.")
    commands = store.fleet.commands(desk, HISTORY)
    values = {
        "pad": page.row(pad),
        "faults": [page.fault(each) for each in store.fleet.faults(desk=desk, limit=HISTORY)],
        "commands": [page.command(each) for each in commands],
        "settings": last_settings(commands),
    }
    return renderer.page(request, "device.html", values | _may(request, token), frame=renderer.frame(token))


@router.get("/devices/{desk}/restart")
def ask_restart(request: Request, desk: DeskName, token: Asker) -> Response:
    """Asks whether to restart the pad."""
    renderer, store, language = _at_hand(request)
    _ = language.gettext
    place = _place(store, desk, language)
    values = {
        "heading": _("Restart this pad?"),
        "about": place,
        "text": _("It is dark for some seconds. If a client may press just now, it waits until the call is over."),
        "action": f"/devices/{desk}/command",
        "fields": {"do": "restart", "back": _back(request, f"/devices/{desk}")},
        "yes": _("Restart"),
        "back": _back(request, f"/devices/{desk}"),
    }
    return renderer.page(request, "confirm.html", values, frame=renderer.frame(token))


@router.post("/devices/{desk}/command")
def ask_pad(request: Request, desk: DeskName, token: Asker, fields: Fields) -> Response:
    """Asks a pad to blink, restart, tell its state or test itself."""
    body = _valid(AskBody, {"do": fields.get("do")})
    with understood():
        parts_of(request).store.fleet.ask(desk, body.do, token.name)
    return _on_to(fields, f"/devices/{desk}")


@router.post("/devices/{desk}/settings")
def set_lamps(request: Request, desk: DeskName, token: Asker, fields: Fields) -> Response:
    """Sets how the lamps behave."""
    numbers = {name: _number(fields.get(name)) for name in SettingsBody.model_fields}
    body = _valid(SettingsBody, numbers)
    with understood():
        parts_of(request).store.fleet.ask(desk, "settings", token.name, body.model_dump())
    return _on_to(fields, f"/devices/{desk}")


@router.post("/devices/{desk}/mended")
def close_fault(request: Request, desk: DeskName, token: Asker, fields: Fields) -> Response:
    """IT says that a fault of this desk is mended."""
    fleet = parts_of(request).store.fleet
    fault = _number(fields.get("fault"))
    if fault not in {each.id for each in fleet.faults(is_open=True, desk=desk)}:
        return _on_to(fields, f"/devices/{desk}")  # somebody was faster, or it ended by itself
    with understood():
        fleet.close(int(fault or 0), token.name)
    return _on_to(fields, f"/devices/{desk}")


# ---- updates
@router.get("/updates")
def updates(request: Request, token: Looker) -> Response:
    """Versions on the pads, and roll-outs."""
    renderer, store, language = _at_hand(request)
    values = updates_values(store.register(), store.pads(), _rollouts(store, ROLLOUTS), language, _now())
    return renderer.page(request, "updates.html", values | _may(request, token), frame=renderer.frame(token))


@router.get("/updates/start")
def ask_start(
    request: Request, token: Asker, version: str = "", plan: str = "careful", soak_min: str = "10"
) -> Response:
    """Asks whether to bring a version to the pads."""
    renderer, store, language = _at_hand(request)
    _ = language.gettext
    _rollout_body({"version": version, "plan": plan, "soak_min": soak_min})
    others = sum(pad.firmware != version for pad in store.pads() if pad.firmware)
    text = language.ngettext("%(n)s pad runs another version.", "%(n)s pads run another version.", others)
    values = {
        "heading": _("Bring version %(version)s to the pads?") % {"version": version},
        "about": plan_words(language)[plan],
        "text": text % {"n": language.number(others)}
        + " "
        + _("A pad changes over only between calls and goes back by itself if it does not do well."),
        "action": "/updates/start",
        "fields": {"version": version, "plan": plan, "soak_min": soak_min},
        "yes": _("Start"),
        "back": "/updates",
    }
    return renderer.page(request, "confirm.html", values, frame=renderer.frame(token))


@router.post("/updates/start")
def start(request: Request, token: Asker, fields: Fields) -> Response:
    """Starts a roll-out; the fleet service carries it out."""
    body = _rollout_body(fields)
    with understood():
        parts_of(request).store.fleet.start_rollout(body.version, token.name, stages=body.stages, soak_s=body.soak_s)
    return RedirectResponse("/updates", 303)


@router.get("/updates/{wish}")
def ask_steer(request: Request, wish: str, token: Asker) -> Response:
    """Asks whether to stop or undo the newest roll-out."""
    renderer, store, language = _at_hand(request)
    _ = language.gettext
    newest = store.fleet.rollouts(1)
    if wish not in ("stop", "undo") or not newest:
        raise NoSuchThing("There is nothing to ask.")
    asked = {
        "stop": (
            _("Stop this roll-out?"),
            _("No further pad is offered the version. Pads that run it keep it. A stopped roll-out is not resumed."),
            _("Stop"),
        ),
        "undo": (
            _("Undo this roll-out?"),
            _("Every pad that runs the version is offered the one it ran before."),
            _("Undo"),
        ),
    }
    heading, text, yes = asked[wish]
    about = _("Version %(version)s") % {"version": newest[0].version}
    action = f"/updates/{wish}"
    values = {"heading": heading, "about": about, "text": text, "action": action, "fields": {}, "yes": yes}
    return renderer.page(request, "confirm.html", values | {"back": "/updates"}, frame=renderer.frame(token))


@router.post("/updates/{wish}")
def steer(request: Request, wish: str, token: Asker) -> Response:
    """Pauses, resumes, stops or undoes the newest roll-out."""
    if wish not in {each for wishes in WISHES.values() for each in wishes}:
        raise NoSuchThing("There is nothing to ask.")
    with understood():
        parts_of(request).store.fleet.wish(wish, token.name)
    return RedirectResponse("/updates", 303)


# ---- the operator's report
@router.get("/report")
def reports(request: Request, token: Reporter) -> Response:
    """Every desk, for an operator to find their own."""
    renderer, store, language = _at_hand(request)
    values = choice_values(in_branches(store.register(), token.limits.branches), language)
    return renderer.page(request, "dark_pads.html", values, frame=renderer.frame(token))


@router.get("/report/{desk}")
def report(request: Request, desk: DeskName, token: Reporter) -> Response:
    """One press: the lights are absent. And where the book of complaints and proposals lies."""
    renderer, store, language = _at_hand(request)
    desk_within(token, store.register(), desk)
    faults = store.fleet.faults(desk=desk, limit=HISTORY)
    waiting = {each.fault.id for each in store.fleet.notices() if each.event == "opened"}
    values = report_values(store.register(), desk, faults, waiting, language, _now())
    if values is None:
        raise NoSuchThing(f"There is no desk {desk!r} in the register.")
    return renderer.page(request, "dark_pad.html", values, frame=renderer.frame(token))


@router.post("/report/{desk}/dark")
def report_dark(request: Request, desk: DeskName, token: Reporter) -> Response:
    """The operator says that the pad shows no lights."""
    store = parts_of(request).store
    desk_within(token, store.register(), desk)
    with understood():
        store.fleet.report(desk, token.name)
    return RedirectResponse(f"/report/{desk}", 303)


# ---- shared
def _at_hand(request: Request) -> tuple[Renderer, Store, Language]:
    renderer: Renderer = request.app.state.pages
    return renderer, parts_of(request).store, renderer.language_of(request)


def _seen(store: Store, branches: frozenset[str] | None) -> Seen:
    """What there is to see, of these branches only; of all for None."""
    fleet = store.fleet
    register = in_branches(store.register(), branches)
    return Seen(
        register,
        [each for each in store.pads() if branches is None or each.branch in branches],
        [each for each in fleet.faults(is_open=True, limit=FAULTS) if branches is None or each.branch in branches],
        fleet.credentials(),
        fleet.commands(limit=RECENT_COMMANDS),
        _now(),
    )


def _rollouts(store: Store, limit: int) -> list[tuple[Rollout, list[RolloutPad]]]:
    return [(each, store.fleet.pads_of(each.id)) for each in store.fleet.rollouts(limit)]


def _may(request: Request, token: Token) -> dict[str, Any]:
    """What the templates want to know of the reader and of their own address, without a choice of language."""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    address = request.url.path + (f"?{urlencode(asked)}" if asked else "")
    return {"may_control": "control" in token.scopes, "address": address}


def _place(store: Store, desk: str, language: Language) -> str:
    register = store.register()
    found = next((each for each in register.desks if each.id == desk), None)
    if found is None:
        raise NoSuchThing(f"There is no desk {desk!r} in the register.")
    branch = next(each for each in register.branches if each.id == found.branch)
    _ = language.gettext
    return _("%(branch)s, desk %(label)s") % {"branch": language.name_of(branch), "label": found.label}


def _back(request: Request, otherwise: str) -> str:
    return local_path(request.query_params.get("back") or otherwise)


def _on_to(fields: dict[str, str], otherwise: str) -> Response:
    return RedirectResponse(local_path(fields.get("back") or otherwise), 303)


def _rollout_body(fields: dict[str, str]) -> RolloutBody:
    plan = STAGES.get(fields.get("plan", ""))
    minutes = _number(fields.get("soak_min"))
    if plan is None or not isinstance(minutes, int):
        raise BadRequestBody("It needs a version, a plan and minutes.")
    return _valid(RolloutBody, {"version": fields.get("version"), "stages": list(plan), "soak_s": minutes * 60})


def _number(text: str | None) -> int | str | None:
    """A form has only texts; what is no number stays one, and is refused."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 9 else text


def _valid(kind: type[Body], values: dict[str, Any]) -> Body:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise BadRequestBody("Not valid: " + ", ".join(str(each["loc"][0]) for each in error.errors()) + ".") from None


def _now() -> int:
    return time.time_ns() // 1_000_000
