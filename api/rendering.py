"""Turns a template and values into a page: language, frame, static files' addresses. It reads no figures.

One Jinja environment a language, so that a template's texts and filters speak it without being told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.auth import reader
from api.errors import ApiError
from api.i18n import Language, load_languages
from api.parts import Parts
from collector.store import StoreError, Token
from schemas.register import Organisation

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
LIVE_SCOPES = ("figures", "devices")  # what the stream behind the Live page asks for
LANGUAGE_COOKIE = "zrazkovo-lang"
A_YEAR_S = 365 * 24 * 3600
_HERE = {"": "live", "updates": "devices"}


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
        self.default = self.languages[parts.settings.default_language]
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
        text = page.render(values, **self._framed(request, language, frame))
        response = HTMLResponse(text, status, {"Cache-Control": "no-store", "Content-Language": language.code})
        if request.query_params.get("lang") == language.code:
            response.set_cookie(
                LANGUAGE_COOKIE,
                language.code,
                max_age=A_YEAR_S,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return response

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
        return {
            "language": language,
            "organisation_name": language.name_of(frame.organisation) if frame.organisation else None,
            "simulated": bool(frame.organisation and frame.organisation.simulated),
            "pages": self._pages(language, frame.token),
            "here": _HERE.get(segment := request.url.path.split("/")[1], segment),
            "choices": [
                {"code": each.code, "name": each.own_name, "href": _same_page(request, each.code)}
                for each in self.languages.values()
            ],
        }

    def _pages(self, language: Language, token: Token | None) -> list[dict[str, str]]:
        _ = language.gettext
        scopes = token.scopes if token else frozenset()
        pages = []
        if scopes.issuperset(LIVE_SCOPES):
            pages.append({"name": "live", "href": "/", "title": _("Live")})
        if "figures" in scopes:
            pages.append({"name": "figures", "href": "/figures", "title": _("Figures")})
        if "devices" in scopes:
            pages.append({"name": "devices", "href": "/devices", "title": _("Devices")})
        if "register" in scopes:
            pages.append({"name": "register", "href": "/register", "title": _("Register")})
        if "report" in scopes:
            pages.append({"name": "report", "href": "/report", "title": _("No lights?")})
        if scopes.issuperset(("try", *LIVE_SCOPES)) and self.parts.bench is not None:
            pages.append({"name": "try", "href": "/try", "title": _("Try a pad")})
        return pages


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
    environment.filters |= {"number": language.number, "share": language.share, "day": language.day}
    environment.globals["asset"] = "/static/{}".format
    return environment


def _same_page(request: Request, code: str) -> str:
    """This page in another language, with everything else that was asked for."""
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return "?" + urlencode([*asked, ("lang", code)])
