"""What the web process cannot begin with ends it with what to do, and no traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from web.app import create

BROKEN = """
from nurture import Campaign, State, on, send

campaign = Campaign("broken", enters=[on("asked")], states=[State("one", [send("no/such")])])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A team's folder without campaigns, and the web process in it; logs are afterwards as they were."""
    monkeypatch.chdir(tmp_path)
    for name in ("campaigns", "templates"):
        (tmp_path / name).mkdir()
    yield tmp_path
    structlog.reset_defaults()


def last_words() -> str:
    with pytest.raises(SystemExit) as caught:
        create()
    return str(caught.value)


def test_a_bad_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURTURE_SMTP_PORT", "many")

    assert last_words().startswith("web: NURTURE_SMTP_PORT: ")


def test_a_database_url_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURTURE_DATABASE_URL", "canary")

    assert last_words() == "web: the database URL cannot be read: write sqlite:///nurture.db or postgresql://…"


def test_a_broken_campaign_with_its_place(folder: Path) -> None:
    (folder / "campaigns" / "broken.py").write_text(BROKEN)

    assert last_words().startswith('web: campaigns/broken.py: state "one", step 1')
