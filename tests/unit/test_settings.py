from pathlib import Path

import pytest

from nurture.errors import BadSettings
from nurture.settings import read_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NURTURE_SECRETS", "canary", "NURTURE_SECRETS: this is no JSON"),
        ("NURTURE_TEAMS", "{canary", "NURTURE_TEAMS: this is no JSON"),
        ("NURTURE_SMTP_PORT", "canary", "NURTURE_SMTP_PORT: Input should be a valid integer"),
        ("NURTURE_TEAMS__SALES", "canary", "NURTURE_TEAMS__SALES: value is not a valid email address"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as caught:
        read_settings()
    assert str(caught.value).startswith(words)
    assert "canary" not in str(caught.value)
