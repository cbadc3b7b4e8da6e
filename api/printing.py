"""The one door to Typst (PDF) and to vl-convert (charts as SVG). It decides nothing about what is printed.

A PDF is PDF/UA-1 and PDF/A-2a: tagged, so that a screen reader reads it in order, and fit for an archive. The highest
that the installed Typst can do; PDF/UA-2 it does not know. Only our own fonts are used (api/fonts): no machine's.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

FONTS = Path(__file__).parent / "fonts"
FACE = "Source Sans 3"
_STANDARDS = ["ua-1", "a-2a"]
# Typst's annotations name every version of every standard, one by one.
_COMPILE: Any = typst.compile
_STRANGE = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u04ff\u1e00-\u1eff"
                      r"\u2010-\u2027\u202f-\u205e\u20a0-\u20bf\u2116\u2122\u2190-\u22ff\ufffd]")  # fmt: skip
# Marks that turn letters round (UAX 9): a paper is to be read as it was written, and nobody writes these.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_DRAW_S = 120
_DRAW = """
import json, sys, vl_convert
asked = json.load(sys.stdin.buffer)
vl_convert.register_font_directory(asked["fonts"])
made = [vl_convert.vegalite_to_svg(each, vl_version=version) for version, each in asked["charts"]]
sys.stdout.buffer.write(json.dumps(made).encode())
"""


class CannotPrint(Exception):
    """Typst or vl-convert refused what it was given: a fault of a template, not of the reader."""


def pdf(template: Path, values: Mapping[str, Any], made_at: datetime) -> bytes:
    """``template`` set with ``values`` (as JSON under ``sys.inputs.values``), the same bytes for the same input.

    Args:
        made_at: what the file says about when it was made; aware.

    A letter that no font has, which somebody wrote, is a "\ufffd" on paper: PDF/A takes no letter without a shape.
    Raises CannotPrint. Takes a tenth of a second; Typst leaves the interpreter's lock to others meanwhile.
    """
    written = json.dumps(values, ensure_ascii=False).translate(_TURNING)
    try:
        return _set(template, written, made_at)
    except typst.TypstError as error:
        plain = json.dumps(_plain(values), ensure_ascii=False).translate(_TURNING)
        if plain == written:
            raise CannotPrint(f"{template.name}: {error}") from error
    try:
        return _set(template, plain, made_at)
    except typst.TypstError as error:
        raise CannotPrint(f"{template.name}: {error}") from error


def _set(template: Path, values: str, made_at: datetime) -> bytes:
    made: bytes = _COMPILE(
        template.read_bytes(),
        root=str(template.parent),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"values": values},
        pdf_standards=_STANDARDS,
        timestamp=int(made_at.timestamp()),
    )
    return made


def _plain(values: Any) -> Any:
    """The same with letters only that our own face surely has: Latin, Greek, Cyrillic, and what stands between them."""
    match values:
        case str():
            return _STRANGE.sub("\ufffd", values)
        case Mapping():
            return {name: _plain(each) for name, each in values.items()}
        case list() | tuple():
            return [_plain(each) for each in values]
    return values


def svgs(charts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Vega-Lite documents as SVG, in order. Raises CannotPrint.

    In a process of its own: vl-convert keeps 150 MB, and holds the interpreter's lock for all of its work (measured:
    0.4 s for the first chart, 0.03 s for each further), with every live page waiting.
    """
    if not charts:
        return []
    asked = {"fonts": str(FONTS), "charts": [(_version(each), each) for each in charts]}
    run = subprocess.run(
        [sys.executable, "-I", "-c", _DRAW],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=_DRAW_S,
        check=False,
    )
    if run.returncode:
        raise CannotPrint(f"the charts cannot be drawn: {run.stderr.decode(errors='replace')[-400:]}")
    made: list[str] = json.loads(run.stdout)
    return made


def _version(chart: Mapping[str, Any]) -> str:
    """ "6.1" out of ".../schema/vega-lite/v6.1.0.json"."""
    numbers = str(chart["$schema"]).rpartition("/v")[2].split(".")
    return ".".join(numbers[:2])
