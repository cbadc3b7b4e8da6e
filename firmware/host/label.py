"""The label for a pad's case: a one-page PDF of 62 x 29 mm (a usual roll of label printers), set by Typst."""

import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import segno
import typst

from firmware.host.errors import UsageError
from firmware.host.kinds import named

_PAGE = """
#set page(width: 62mm, height: 29mm, margin: (x: 2.5mm, y: 2mm))
#set text(font: ("Libertinus Serif",), size: 7pt, lang: "uk")
#set par(leading: 0.42em, spacing: 0.5em)
#let v = sys.inputs
#let row(uk, en, value) = (
  [#text(size: 6pt)[#uk] \\ #text(size: 5pt, fill: luma(35%))[#en]],
  align(horizon, value),
)
#grid(
  columns: (1fr, 21mm),
  column-gutter: 2mm,
  [
    #box(width: 100%, height: 7.4mm, align(horizon, layout(space => context {
      let size = 17pt
      while size > 6pt and measure(text(size: size, weight: "bold", v.desk)).width > space.width { size = size - 0.5pt }
      text(size: size, weight: "bold", v.desk)
    })))
    #line(length: 100%, stroke: 0.4pt)
    #grid(
      columns: (auto, 1fr), column-gutter: 2mm, row-gutter: 1mm,
      ..row([Плата], [Board], v.board),
      ..row([Номер], [Hardware], text(font: "DejaVu Sans Mono", size: 5.6pt, v.hardware)),
      ..row([Дата], [Date], v.date),
    )
  ],
  align(right + horizon, image(bytes(v.code), format: "svg", width: 21mm)),
)
#place(bottom + left, text(size: 5.2pt)[Зразково · пульт оцінювання / rating pad])
"""


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on the case. No secret: whoever reads it could read the desk's name on the wall, too."""

    desk: str
    board: str
    hardware: str
    made_on: date

    @property
    def code(self) -> str:
        """What the QR code says; for a scanner in IT's hand, not for clients."""
        return f"zrazkovo:{self.desk}:{self.hardware}"


def write(label: Label, file: Path) -> Path:
    """Writes the label as PDF, over one that was there. Raises UsageError if it cannot be written."""
    picture = io.BytesIO()
    segno.make(label.code, error="m", micro=False).save(picture, kind="svg", border=2, svgclass=None, lineclass=None)
    inputs = {
        "desk": label.desk,
        "board": named(label.board).called,
        "hardware": label.hardware or "-",
        "date": label.made_on.isoformat(),
        "code": picture.getvalue().decode(),
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        pdf = typst.compile(_PAGE.encode(), sys_inputs=inputs)
        file.write_bytes(pdf)
    except OSError as error:
        raise UsageError(f"the label {file} cannot be written: {error.strerror}") from None
    return file
