"""``python -m schemas [--check]``: writes schemas/generated/, or says what in it no longer agrees with the code."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from schemas import asyncapi
from schemas.wire import MODELS

FOLDER = Path(__file__).parent / "generated"
# Rooms above this one write their own document to standard output; nothing of theirs is imported here.
OPENAPI = {"openapi.json": "api", "openapi-feed.json": "collector.feed"}


def documents() -> dict[str, str]:
    """Every generated document by file name."""
    made = {
        f"wire/{model.__name__}.json": model.model_json_schema() | {"$schema": _DRAFT}
        for models in MODELS.values()
        for model in models
    }
    made["asyncapi.json"] = asyncapi.document()
    texts = {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}
    for name, module in OPENAPI.items():
        run = subprocess.run([sys.executable, "-m", module, "openapi"], stdout=subprocess.PIPE, check=True)
        texts[name] = run.stdout.decode()
    return texts


_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def main() -> int:
    parser = argparse.ArgumentParser(prog="schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a document is out of date")
    check = parser.parse_args().check
    stale = 0
    texts = documents()
    for name, text in texts.items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"schemas: {name} {'is out of date: run python -m schemas' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in sorted(FOLDER.rglob("*.json")):
        if path.relative_to(FOLDER).as_posix() not in texts:
            stale += 1
            print(f"schemas: {path.name} is made by nothing any more: delete it")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
