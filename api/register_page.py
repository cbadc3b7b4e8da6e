"""What the Register page shows: the parts of the register as tables and forms, in one language. It asks no store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from api.i18n import Language
from collector.store import Register, Revision
from schemas.register_diff import Change
from schemas.register_names import by_id, in_days, known_by
from schemas.register_rules import WEEKDAYS, begins, ends
from schemas.resources import FieldProblem

PARTS = ("branches", "desks", "services", "directions", "operators", "participants", "hours", "calendar")
# Parts whose things have a page of their own; the others are lists of rows that come and go.
THINGS = ("branches", "desks", "services", "directions", "operators", "participants")
MOST_ROWS = 300  # in one table; who wants more searches, or exports

# The fields of each part's form, in the order people think of them.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "branches": ("name", "name_en", "timezone", "day_ends", "complaints_book", "complaints_book_en"),
    "desks": ("branch", "label"),
    "services": ("name", "name_en", "direction", "no_call"),
    "directions": ("name", "name_en"),
    "operators": ("kind", "participant"),
    "participants": ("name", "name_en"),
    "hours": ("branch", "days", "opens", "closes", "valid_from", "valid_to"),
    "calendar": ("day", "branch", "kind", "opens", "closes", "as_day", "note"),
}
# What a field's input is; everything else is a line of text.
INPUTS = {
    "day_ends": "time", "opens": "time", "closes": "time", "valid_from": "date", "valid_to": "date", "day": "date",
    "no_call": "checkbox", "branch": "select", "direction": "select", "participant": "select", "kind": "select",
    "as_day": "select", "merged_into": "select", "desk": "select",
}  # fmt: skip
# What an empty form begins with.
BEGINNINGS = {"timezone": "Europe/Kyiv", "day_ends": "20:00"}
_OPTIONAL = ("complaints_book", "complaints_book_en", "direction", "participant", "valid_from", "valid_to", "note",
             "as_day", "no_call")  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """The register as one reader sees it: on which day, with names of operators or without."""

    register: Register
    today: date
    language: Language
    names: Mapping[str, str] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)  # what was typed into a form that was refused

    @cached_property
    def _seats(self) -> dict[str, str]:
        """The desk of each operator today."""
        return {each.operator: each.desk for each in self.register.assignments if each.holds(self.today)}

    # ---- words
    def parts(self) -> dict[str, str]:
        _ = self.language.gettext
        return {
            "branches": _("Branches"), "desks": _("Desks"), "services": _("Services"),
            "directions": _("Directions"), "operators": _("Operators"), "participants": _("Organisations"),
            "hours": _("Opening hours"), "calendar": _("Calendar"),
        }  # fmt: skip

    def fields(self) -> dict[str, str]:
        _ = self.language.gettext
        return {
            "id": _("Id"), "name": _("Name in Ukrainian"), "name_en": _("Name in English"), "timezone": _("Time zone"),
            "day_ends": _("The day ends at"), "complaints_book": _("Where the complaints book lies, in Ukrainian"),
            "complaints_book_en": _("Where the complaints book lies, in English"), "merged_into": _("Merged into"),
            "direction": _("Direction"), "no_call": _("Clients are called but not served at a desk"),
            "branch": _("Branch"), "label": _("What stands on the desk"), "kind": _("Kind"),
            "participant": _("Organisation"), "operator": _("Operator"), "desk": _("Desk"), "days": _("Weekdays"),
            "opens": _("Opens"), "closes": _("Closes"), "valid_from": _("From"), "valid_to": _("To, the last day"),
            "day": _("Day"), "as_day": _("As if it were"), "note": _("Note"), "simulated": _("Simulated"),
        }  # fmt: skip

    def kinds(self) -> dict[str, str]:
        _ = self.language.gettext
        return {
            "administrator": _("administrator"), "state_administrator": _("state administrator"),
            "participant": _("employee of an organisation"),
            "closed": self.language.pgettext("calendar", "closed"), "open": _("open"),
        }  # fmt: skip

    def weekdays(self) -> dict[str, str]:
        names = self.language.locale.days["format"]["abbreviated"]
        return {code: names[n] for n, code in enumerate(WEEKDAYS)}

    # ---- tables
    def table(self, part: str, wanted: str, with_ended: bool) -> dict[str, Any]:
        """The rows of a part that fit ``wanted``: one a thing, as it is today."""
        if part not in THINGS:
            return self._loose_rows(part, with_ended)
        every = [self._thing(part, rows) for rows in by_id(getattr(self.register, part)).values()]
        fitting = [each for each in every if wanted.lower() in each["searched"]]
        open_ones = [each for each in fitting if with_ended or each["state"] != "ended"]
        return {
            "rows": open_ones[:MOST_ROWS],
            "total": len(every),
            "fitting": len(open_ones),
            "ended": sum(each["state"] == "ended" for each in fitting),
        }

    def thing(self, part: str, name: str) -> dict[str, Any]:
        """One thing as it is today, or was last, or will be first."""
        return self._thing(part, by_id(getattr(self.register, part))[name])

    def _thing(self, part: str, rows: Sequence[Any]) -> dict[str, Any]:
        row = in_days(rows, self.today, self.today)[-1]
        name = row.id
        title = self.title(part, row)
        return {
            "id": name,
            "title": title,
            "state": self._state(row),
            "when": self.when(row),
            "about": self.about(part, row),
            "changes": len(rows) - 1,
            "person": (self.names or {}).get(name) if part == "operators" else None,
            "searched": f"{name} {title} {(self.names or {}).get(name, '')}".lower(),
        }

    def title(self, part: str, row: Any) -> str:
        if part == "desks":
            return self.language.gettext("desk %(label)s") % {"label": row.label}
        return row.id if part == "operators" else self.language.name_of(row)

    def about(self, part: str, row: Any) -> str:
        """What else is to be known of a row, in a few words."""
        _ = self.language.gettext
        if part == "desks":
            return self.named("branches", row.branch)
        if part == "services":
            said = [self.named("directions", row.direction)] if row.direction else []
            return ", ".join([*said, *([_("not rated")] if row.no_call else [])])
        if part == "operators":
            seat = next(
                (each for each in self.register.assignments if each.operator == row.id and each.holds(self.today)), None
            )
            employer = self.named("participants", row.participant) if row.participant else self.kinds()[row.kind]
            return f"{employer} · {seat.desk}" if seat else employer
        if part == "branches":
            if row.merged_into:
                return _("merged into %(branch)s") % {"branch": self.named("branches", row.merged_into)}
            return f"{row.timezone}, {row.day_ends}"
        return ""

    def named(self, part: str, name: str) -> str:
        rows = by_id(getattr(self.register, part)).get(name)
        return self.language.name_of(in_days(rows, self.today, self.today)[-1]) if rows else name

    def when(self, row: Any) -> str:
        """The days of a row."""
        _ = self.language.gettext
        first, last = row.valid_from, row.valid_to
        if first and last:
            return f"{self.language.day(first)} – {self.language.day(last)}"
        if first:
            return _("from %(day)s") % {"day": self.language.day(first)}
        return _("until %(day)s") % {"day": self.language.day(last)} if last else _("always")

    def _state(self, row: Any) -> str:
        if begins(row) > self.today:
            return "planned"
        return "ended" if ends(row) < self.today else "open"

    def _loose_rows(self, part: str, with_ended: bool) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        for index, row in enumerate(getattr(self.register, part)):
            state = self._state(row) if part == "hours" else ("ended" if row.day < self.today else "open")
            where = self.named("branches", row.branch) if row.branch else self.language.gettext("The whole centre")
            found.append({"index": index, "state": state, "where": where} | self._loose(part, row))
        shown = [each for each in found if with_ended or each["state"] != "ended"]
        if part == "calendar":
            shown.sort(key=lambda each: each["day"])
        ended = sum(each["state"] == "ended" for each in found)
        return {"rows": shown[:MOST_ROWS], "total": len(found), "fitting": len(shown), "ended": ended}

    def _loose(self, part: str, row: Any) -> dict[str, Any]:
        hours = f"{row.opens}–{row.closes}" if row.opens else ""
        if part == "hours":
            return {"title": self.days(row.days), "hours": hours, "when": self.when(row), "note": ""}
        like = self.language.gettext("as on %(day)s") % {"day": self.weekdays()[row.as_day]} if row.as_day else ""
        title = self.language.day(row.day)
        words = hours or like or self.kinds()[row.kind]
        return {"title": title, "day": row.day, "hours": words, "when": "", "note": row.note or ""}

    def days(self, text: str) -> str:
        """mon-fri in the reader's words."""
        words = self.weekdays()
        return ", ".join("–".join(words.get(day, day) for day in part.strip().split("-")) for part in text.split(","))

    # ---- forms
    def form(self, names: Sequence[str], row: Any = None) -> list[dict[str, Any]]:
        """The inputs for ``names``, filled with what was typed, else with ``row``."""
        labels = self.fields()
        found = []
        for name in names:
            value = self.typed.get(name)
            if value is None:
                own = getattr(row, name, None) if row is not None else BEGINNINGS.get(name)
                value = "1" if own is True else "" if own in (None, False) else str(own)
            found.append(
                {
                    "name": name,
                    "label": labels[name],
                    "input": INPUTS.get(name, "text"),
                    "value": value,
                    "is_needed": name not in _OPTIONAL and not (name == "branch" and "day" in names) and name not in
                    (("opens", "closes") if "day" in names else ()),
                    "choices": self.choices(name, names),
                }
            )  # fmt: skip
        return found

    def choices(self, name: str, names: Sequence[str] = ()) -> list[tuple[str, str]]:
        kinds = self.kinds()
        if name == "kind":
            return [(each, kinds[each]) for each in (("closed", "open") if "day" in names else list(kinds)[:3])]
        if name == "as_day":
            return list(self.weekdays().items())
        if name == "desk":
            return [
                (each.id, f"{self.named('branches', each.branch)}, {self.title('desks', each)}")
                for each in known_by(self.register, "desks", self.today)
                if self._state(each) != "ended"
            ]
        part = {"branch": "branches", "merged_into": "branches", "direction": "directions",
                "participant": "participants"}.get(name)  # fmt: skip
        if part is None:
            return []
        known = known_by(self.register, part, self.today)
        return [(each.id, self.language.name_of(each)) for each in known if self._state(each) != "ended"]

    # ---- differences and revisions
    def difference(self, changes: Sequence[Change]) -> list[dict[str, Any]]:
        _ = self.language.gettext
        words = {
            "added": _("added"), "changed": _("changed"), "closed": _("closed"), "removed": _("removed"),
            "reordered": _("in another order"),
        }  # fmt: skip
        labels, parts = self.fields(), self.parts()
        parts |= {"organisation": _("The whole centre"), "assignments": _("Who sits where")}
        return [
            {
                "part": parts[each.part],
                "kind": each.kind,
                "words": words[each.kind],
                "name": " · ".join(self._value(value) for value in each.name if value is not None),
                "fields": [(labels.get(f.field, f.field), self._value(f.old), self._value(f.new)) for f in each.fields],
            }
            for each in changes
        ]

    def revisions(self, revisions: Sequence[Revision]) -> list[dict[str, Any]]:
        _ = self.language.gettext
        hows = {
            "file": _("loaded from a file"), "import": _("imported"), "edit": _("changed here"),
            "revert": _("taken back"), "found": _("as it was found"),
        }  # fmt: skip
        return [
            {
                "number": each.number,
                "how": hows.get(each.how, each.how),
                "author": each.author or "–",
                "note": each.note,
                "at": self.language.moment(datetime.fromtimestamp(each.at_unix_ms / 1000, UTC).astimezone()),
            }
            for each in revisions
        ]

    # ---- what is wrong
    def faults(self, faults: Sequence[FieldProblem]) -> list[dict[str, str]]:
        """Each with where it is and what is wrong, in the reader's words; the exact English ones besides."""
        words, labels = self._fault_words(), self.fields()
        found = []
        for each in faults:
            field_name = each.parameter.rpartition("/")[2].rpartition(":")[2]
            file = each.parameter if ".csv" in each.parameter else ""
            places = [file, each.about or "", "" if file else labels.get(field_name, "")]
            own = words.get(each.rule or "") or words.get(f"bad_{field_name}" if each.rule == "bad_value_error" else "")
            found.append(
                {
                    "parameter": each.parameter,
                    "place": " · ".join(place for place in places if place),
                    "words": own or "",
                    "detail": each.detail,
                }
            )
        return found

    def _fault_words(self) -> dict[str, str]:
        _ = self.language.gettext
        empty, day_time = _("must not be empty"), _("is no time of day like 08:00")
        return {
            "backwards": _("ends before it begins"),
            "one_row_a_day": _("has two rows for one day: end the one before first"),
            "ids_keep_their_meaning": _("was closed and cannot come back as something else: give it a new id"),
            "references": _("names something that is not in the register on all of these days"),
            "mergers": _("cannot be merged so: give the last day, and a branch that is there the day after"),
            "time_zones": _("a branch keeps its time zone, or its days would not add up"),
            "reserved": _("this is a server’s name: choose another id"),
            "one_seat_a_day": _("has two desks on one day"),
            "hours": _("these hours overlap others, or close before they open"),
            "calendar": _("this day is there twice, or its hours do not fit its kind"),
            "has_figures": _("has figures, so it can be closed but not left out"),
            "taken": _("this id is taken, and an id names one thing for ever"),
            "later": _("it begins only after that day"),
            "no_day": _("a day is needed"),
            "unknown": _("there is no such entry"),
            "sheet": _("this table cannot be read as it is"),
            "bad_missing": empty, "bad_string_too_short": empty, "bad_string_type": empty,
            "bad_string_too_long": _("is too long"),
            "bad_id": _("only a–z, 0–9 and inner hyphens, at most 40"),
            "bad_timezone": _("is no time zone, like Europe/Kyiv"),
            "bad_day_ends": day_time, "bad_opens": day_time, "bad_closes": day_time,
            "bad_string_pattern_mismatch": day_time,
            "bad_days": _("are no weekdays, like mon-fri"),
            "bad_literal_error": _("is none of the choices"),
        }  # fmt: skip

    def _value(self, value: Any) -> str:
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self.language.gettext("yes") if value else self.language.gettext("no")
        return self.language.day(value) if isinstance(value, date) else str(value)
