"""Statements of RDF as Turtle and as JSON-LD: just what a DCAT description needs, and no more. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_NOT_IN_URIS = '<>"{}|^`\\ \n\r\t'


@dataclass(frozen=True, slots=True)
class Uri:
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    value: str
    datatype: str  # xsd:date


Thing = Uri | Text | Typed


@dataclass(frozen=True, slots=True)
class Node:
    """A subject of one class with what is said of it; names are prefixed ("dct:title")."""

    subject: Uri
    kind: str
    said: Sequence[tuple[str, Thing]]


def turtle(nodes: Sequence[Node]) -> bytes:
    lines = [f"@prefix {prefix}: <{uri}> ." for prefix, uri in PREFIXES.items()]
    for node in nodes:
        said = [f"a {node.kind}", *(f"{name} {_term(thing)}" for name, thing in node.said)]
        lines.append(f"\n<{_uri(node.subject)}>\n  " + " ;\n  ".join(said) + " .")
    return ("\n".join(lines) + "\n").encode()


def json_ld(nodes: Sequence[Node]) -> bytes:
    graph = []
    for node in nodes:
        made: dict[str, object] = {"@id": _uri(node.subject), "@type": node.kind}
        values: dict[str, list[object]] = {}
        for name, thing in node.said:
            values.setdefault(name, []).append(_object(thing))
        graph.append(made | values)
    return json.dumps({"@context": PREFIXES, "@graph": graph}, ensure_ascii=False, indent=1).encode()


def _term(thing: Thing) -> str:
    if isinstance(thing, Uri):
        return f"<{_uri(thing)}>"
    quoted = json.dumps(thing.value, ensure_ascii=False)  # Turtle has JSON's escapes
    if isinstance(thing, Typed):
        return f"{quoted}^^{thing.datatype}"
    return f"{quoted}@{thing.language}" if thing.language else quoted


def _object(thing: Thing) -> object:
    if isinstance(thing, Uri):
        return {"@id": _uri(thing)}
    if isinstance(thing, Typed):
        return {"@value": thing.value, "@type": thing.datatype}
    return {"@value": thing.value} | ({"@language": thing.language} if thing.language else {})


def _uri(uri: Uri) -> str:
    return "".join(f"%{ord(each):02X}" if each in _NOT_IN_URIS else each for each in uri.value)
