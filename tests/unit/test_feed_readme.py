"""What the feed's README tells an integrator to write is taken by the feed as it stands."""

import re
from pathlib import Path

import pytest

from collector.feed import registry
from collector.feed.settings import load
from collector.feed.site import site_of

FOLDER = Path(__file__).parents[2] / "collector" / "feed"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SECRETS = (
    '{"main": "token", "theq": "a-path-nobody-guesses", "qmatic": "a-path-nobody-guesses", "hall": "sqlite:///log.db"}'
)
REGISTER = """
organisation = {name = "Центр", name_en = "Centre"}
branch = [{id = "centre", name = "Центр", name_en = "Centre"}]
desk = [{id = "centre-1", branch = "centre", label = "1"}, {id = "centre-2", branch = "centre", label = "2"}]
operator = [{id = "op-7"}]
"""


def test_every_table_of_the_readme_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment = re.search(r"assignment = \[.*\]", README)
    assert assignment
    (tmp_path / "register.toml").write_text(REGISTER + assignment[0])
    config = tmp_path / "feed.toml"
    config.write_text(f'register_file = "{tmp_path}/register.toml"\n' + "\n".join(BLOCKS))
    monkeypatch.setenv("ZRAZKOVO_FEED_TICKET_SECRET", "a secret of the tests")
    monkeypatch.setenv("ZRAZKOVO_FEED_SOURCE_SECRETS", SECRETS)
    settings = load(config, {})
    site_of(settings)
    assert {kind: len(getattr(settings, kind)) for kind in registry.ADAPTERS} == dict.fromkeys(registry.ADAPTERS, 1)


def test_every_kind_of_queue_system_is_in_the_readmes_table() -> None:
    assert all(f"`[[{kind}]]`" in README for kind in registry.ADAPTERS)


def test_every_file_that_it_links_to_exists() -> None:
    assert all((FOLDER / target).exists() for target in re.findall(r"\]\(([^)#]+)\)", README))
