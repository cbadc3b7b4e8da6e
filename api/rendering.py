"""Turns a template and values into a page: language, frame, static files' addresses. It reads no figures.

One Jinja environment a language, so that a template's texts and filters speak it without being told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.auth import reader
from api.errors import ApiError
from api.i18n import SOURCE_LANGUAGE, Language, load_languages
from api.navigation import BENEATH, first_page, menu
from api.parts import Parts
from collector.store import StoreError, Token
from schemas.register import Organisation

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
LANGUAGE_COOKIE, LOOK_COOKIE = "zrazkovo-lang", "zrazkovo-look"
LOOKS = ("auto", "light", "dark")  # auto: as the reader's device is set
A_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True)
class Frame:
    """What every page shows around its content."""

    organisation: Organisation | None
    token: Token | None


class Renderer:
    """Renders pages in the reader's language; made once, then only read."""

    def __init__(self, parts: Parts):
        self.parts = parts
        self.languages = load_languages()
        self.default = self.languages.get(parts.settings.default_language, self.languages[SOURCE_LANGUAGE])
        self._environments = {code: _environment(each) for code, each in self.languages.items()}

    def language_of(self, request: Request) -> Language:
        """What ``?lang=`` asks for, else what was chosen before, else the office's own language."""
        for code in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
            if code is not None and code in self.languages:
                return self.languages[code]
        return self.default

    def page(
        self, request: Request, template: str, values: Mapping[str, Any], *, frame: Frame, status: int = 200
    ) -> HTMLResponse:
        """``template`` with ``values`` inside ``frame``; a language chosen by ``?lang=`` is remembered."""
        language = self.language_of(request)
        page = self._environments[language.code].get_template(template)
        framed = self._framed(request, language, frame)
        hidden = framed.keys() & values.keys()
        if hidden:
            raise ValueError(f"{template}: the frame has {', '.join(sorted(hidden))} of its own")
        text = page.render({**values, **framed})
        response = HTMLResponse(text, status, {"Cache-Control": "no-store", "Content-Language": language.code})
        if request.query_params.get("lang") == language.code:
            remember(request, response, LANGUAGE_COOKIE, language.code)
        return response

    def first_page(self, token: Token) -> str | None:
        """Where a reader begins who asks for no page; None for one who may open none."""
        has_bench = self.parts.bench is not None
        return first_page(self.default, token.scopes, has_bench=has_bench, is_operator=_is_operator(token))

    def frame(self, token: Token | None) -> Frame:
        """The frame with the organisation out of the store. Raises StoreError."""
        return Frame(self.parts.store.register().organisation, token)

    def frame_if_possible(self, request: Request) -> Frame:
        """As much of the frame as can be had when something has already gone wrong."""
        try:
            return self.frame(reader(request))
        except (ApiError, StoreError):
            return Frame(None, None)

    def _framed(self, request: Request, language: Language, frame: Frame) -> dict[str, Any]:
        scopes = frame.token.scopes if frame.token else frozenset[str]()
        segment = request.url.path.split("/")[1]
        has_bench = self.parts.bench is not None
        groups = menu(language, scopes, has_bench=has_bench, is_operator=_is_operator(frame.token))
        return {
            "language": language,
            "organisation_name": language.name_of(frame.organisation) if frame.organisation else None,
            "simulated": bool(frame.organisation and frame.organisation.simulated),
            "reader": frame.token,
            "menu": groups,
            "home": groups[0].entries[0].href if groups else "/",
            "here": BENEATH.get(segment, segment),
            "here_path": request.url.path,
            "look": look_of(request),
            "looks": _look_choices(language),
            "languages": [
                {"code": each.code, "name": each.own_name, "href": _same_page(request, each.code)}
                for each in self.languages.values()
            ],
        }


def _is_operator(token: Token | None) -> bool:
    return token is not None and token.limits.operator is not None


def look_of(request: Request) -> str:
    """Light, dark, or as the reader's device is set."""
    chosen = request.cookies.get(LOOK_COOKIE)
    return chosen if chosen in LOOKS else LOOKS[0]


def remember(request: Request, response: Response, cookie: str, value: str) -> None:
    """Keep how somebody likes to read, for a year; it says nothing about who that is."""
    response.set_cookie(
        cookie, value, max_age=A_YEAR_S, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def _look_choices(language: Language) -> list[tuple[str, str]]:
    _ = language.gettext
    return list(zip(LOOKS, (_("As the device is set"), _("Light"), _("Dark")), strict=True))


def language_of(request: Request) -> Language:
    """The reader's language, for answers that are no pages; see Renderer.language_of."""
    renderer: Renderer = request.app.state.pages
    return renderer.language_of(request)


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        language.gettext, language.ngettext, newstyle=False, pgettext=language.pgettext
    )
    # The extension's own takes a copy of everything that a loop knows to every text: a third of a page with many rows.
    environment.globals["_"] = language.gettext
    environment.filters |= {"number": language.number, "share": language.share, "day": language.day}
    environment.globals["asset"] = "/static/{}".format
    return environment


def _same_page(request: Request, code: str) -> str:
    """This page in another language, with everything else that was asked for."""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return "?" + urlencode([*asked, ("lang", code)])
