"""The OpenAPI document of the routes, with what the framework cannot know: problems and scopes. It changes no route."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth import scopes_by_route

_SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token with the scopes that the operation names."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "zrazkovo",
        "description": "Opened by POST /session; over https its name begins with __Host-.",
    },
}
PROBLEM_MEDIA_TYPE = "application/problem+json"


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The document of ``app``'s own routes; needs neither settings nor a store."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    document["components"]["securitySchemes"] = _SECURITY
    scopes_of = {(method.lower(), path): scopes for method, path, scopes in scopes_by_route(app)}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _say_scopes(operation, scopes_of[method, path])
            _say_problem(operation["responses"]["default"])
    return document


def _say_scopes(operation: dict[str, Any], scopes: frozenset[str] | None) -> None:
    # OpenAPI 3.1 lets any scheme list roles.
    names = sorted(scopes or ())
    operation["security"] = [{scheme: names} for scheme in _SECURITY] if names else []


def _say_problem(response: dict[str, Any]) -> None:
    content = response["content"]
    content[PROBLEM_MEDIA_TYPE] = content.pop("application/json")
