"""``/v1/register``: the office as it is today for every reader; the whole of it, with its past, for who keeps it.

A change says which revision it was made from (``If-Match``, or the number inside an export), so that two people never
undo each other's work unseen. Every change can be tried first (``dry_run``) and taken back (``revert``).
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as Place
from starlette.concurrency import run_in_threadpool

from api.auth import allowed, require
from api.errors import BadRequestBody, RevisionMissing
from api.forms import read_body
from api.parts import parts_of
from api.registering import Proposal, carry_out, go_back, of_json, of_sheets, revision_of
from collector.store import Register, Store, Token
from schemas import register_archive
from schemas.register_csv import write_sheets
from schemas.register_diff import differences
from schemas.register_resources import (
    FieldChangeResource,
    OperatorNames,
    RegisterChange,
    RegisterChanges,
    RevisionResource,
    Revisions,
)
from schemas.resources import BranchResource, OrganisationResource, RegisterResource, ServiceResource

MOST_JSON_BYTES = 16_000_000
ZIP = "application/zip"
router = APIRouter()
_Keeper = Annotated[Token, require("register")]
_DryRun = Annotated[bool, Query(description="only say what would change")]
_IfMatch = Annotated[str | None, Header(alias="If-Match", description="the revision it was made from, as its ETag")]


@router.get("/v1/register")
def read_register(
    request: Request, response: Response, _token: Annotated[Token, require("figures", within_limits=True)]
) -> RegisterResource:
    """The organisation, its branches and its services as they are today, in their own order."""
    store = parts_of(request).store
    revision, _ = store.book.whole()
    register = store.register()
    response.headers["ETag"] = _tag(revision)
    organisation = register.organisation
    return RegisterResource(
        organisation=OrganisationResource(
            name=organisation.name, name_en=organisation.name_en, simulated=organisation.simulated
        ),
        branches=[
            BranchResource(id=each.id, name=each.name, name_en=each.name_en, timezone=each.timezone)
            for each in register.branches
        ],
        services=[ServiceResource(id=each.id, name=each.name, name_en=each.name_en) for each in register.services],
    )


@router.get("/v1/register/document", response_model=Register)
def read_document(request: Request, _token: _Keeper) -> Response:
    """Every row with its days, past and future; operators by their pseudonyms."""
    revision, register = parts_of(request).store.book.whole()
    body = register.model_dump_json(by_alias=True, exclude_defaults=True)
    return Response(body, headers={"ETag": _tag(revision)}, media_type="application/json")


_DOCUMENT = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Register"}}}}


@router.put("/v1/register/document", openapi_extra={"requestBody": _DOCUMENT})
async def put_document(
    request: Request, response: Response, token: _Keeper, if_match: _IfMatch = None, dry_run: _DryRun = False
) -> RegisterChanges:
    """Make this the register: all of it or nothing. What has figures can be closed, not left out."""
    if if_match is None:
        raise RevisionMissing('Send If-Match with the ETag of the document that you changed: If-Match: "7".')
    expected = revision_of(if_match)
    body = await read_body(request, MOST_JSON_BYTES)
    store = parts_of(request).store
    proposal = await run_in_threadpool(of_json, store, body, expected)
    return await run_in_threadpool(_answer, store, proposal, token, response, dry_run)


@router.get("/v1/register/sheets", response_class=Response, responses={200: {"content": {ZIP: {}}}})
def read_sheets_of(
    request: Request, token: _Keeper, names: Annotated[bool, Query(description="with the names of operators")] = False
) -> Response:
    """The same as CSV files in one zip archive, for a spreadsheet. With names it needs the scope ``names``."""
    store = parts_of(request).store
    if names:
        allowed(token, ("names",))
    return sheets_response(store, store.book.names(token.name) if names else None)


_SHEETS = {"required": True, "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}


@router.post("/v1/register/sheets", openapi_extra={"requestBody": _SHEETS})
async def post_sheets(
    request: Request, response: Response, token: _Keeper, dry_run: _DryRun = False
) -> RegisterChanges:
    """Take the CSV files of an archive in: all of them or nothing. What is not in it stays as it is."""
    body = await read_body(request, register_archive.MOST_BYTES)
    try:
        files = register_archive.unpack(body)
    except register_archive.NoArchive as error:
        raise BadRequestBody(f"Not an archive of CSV files: {error}.") from None
    store = parts_of(request).store
    proposal = await run_in_threadpool(of_sheets, store, files, token)
    return await run_in_threadpool(_answer, store, proposal, token, response, dry_run)


@router.get("/v1/register/revisions")
def read_revisions(request: Request, _token: _Keeper, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Revisions:
    """Every register there was, the newest first: who changed it, when and how."""
    found = parts_of(request).store.book.revisions(limit)
    return Revisions(
        revisions=[
            RevisionResource.model_validate(
                {
                    "number": each.number,
                    "at": datetime.fromtimestamp(each.at_unix_ms / 1000, UTC),
                    "author": each.author,
                    "how": each.how,
                    "note": each.note,
                }
            )
            for each in found
        ]
    )


@router.post("/v1/register/revisions/{number}/revert")
def revert(
    request: Request,
    response: Response,
    number: Annotated[int, Place(ge=1, le=2**31 - 1)],
    token: _Keeper,
    if_match: _IfMatch = None,
) -> RegisterChanges:
    """Make an earlier register the register again, as a new revision."""
    store = parts_of(request).store
    revision, before = store.book.whole()
    expected = None if if_match is None else revision_of(if_match)
    made = go_back(store, number, token, expected)
    response.headers["ETag"] = _tag(made)
    return _resource(Proposal(revision, before, before, differences(before, store.book.whole()[1])), made, False)


@router.get("/v1/register/names")
def read_names(request: Request, token: Annotated[Token, require("names")]) -> OperatorNames:
    """Who the operators' pseudonyms stand for. Every reading is written down (order P4.8)."""
    return OperatorNames(names=parts_of(request).store.book.names(token.name))


def sheets_response(store: Store, names: dict[str, str] | None) -> Response:
    """The archive as a download."""
    revision, register = store.book.whole()
    headers = {
        "ETag": _tag(revision),
        "Content-Disposition": f'attachment; filename="register-{revision}.zip"',
    }
    return Response(register_archive.pack(write_sheets(register, revision, names)), headers=headers, media_type=ZIP)


def _answer(store: Store, proposal: Proposal, token: Token, response: Response, dry_run: bool) -> RegisterChanges:
    number = proposal.revision if dry_run else carry_out(store, proposal, token, "import")
    response.headers["ETag"] = _tag(number)
    return _resource(proposal, number, dry_run)


def _resource(proposal: Proposal, revision: int, dry_run: bool) -> RegisterChanges:
    return RegisterChanges(
        revision=revision,
        dry_run=dry_run,
        names_changed=proposal.names is not None,
        changes=[
            RegisterChange(
                part=each.part,
                kind=each.kind,
                name=[_text(part) or "" for part in each.name],
                fields=[FieldChangeResource(field=f.field, old=_text(f.old), new=_text(f.new)) for f in each.fields],
            )
            for each in proposal.changes
        ],
    )


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _tag(revision: int) -> str:
    return f'"{revision}"'
