import json
from pathlib import Path
from typing import get_args

import pytest

from nurture.channels.providers.names import PROVIDERS
from nurture.errors import BadSettings
from nurture.settings import Settings, read_settings


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


KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_payload_keys_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURTURE_PAYLOAD_KEYS", json.dumps([KEY, KEY[::-1][1:] + "="]))

    assert read_settings().payload_key_bytes[0] == bytes(range(32))


@pytest.mark.parametrize("bad", ["hunter2", KEY[:-4], KEY[:20], "ключ"])
def test_a_payload_key_that_is_none_is_refused_with_the_remedy_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("NURTURE_PAYLOAD_KEYS", json.dumps([KEY, bad]))

    with pytest.raises(BadSettings, match=r"NURTURE_PAYLOAD_KEYS.*openssl rand -base64 32") as refused:
        read_settings()
    assert bad not in str(refused.value)


def test_a_list_that_is_no_json_is_refused_with_the_remedy_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NURTURE_PAYLOAD_KEYS", KEY)

    with pytest.raises(BadSettings, match=r"NURTURE_PAYLOAD_KEYS: this is no JSON") as refused:
        read_settings()
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"NURTURE_EMAIL_BY": "postmark"}, "postmark asks for a key: set NURTURE_EMAIL_API_KEY"),
        ({"NURTURE_EMAIL_BY": "mailgun", "NURTURE_EMAIL_API_KEY": "canary"}, "set NURTURE_EMAIL_DOMAIN"),
        ({"NURTURE_EMAIL_BY": "pigeon"}, "NURTURE_EMAIL_BY: Input should be 'smtp'"),
    ],
)
def test_a_provider_of_email_without_what_it_asks_for_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as caught:
        read_settings()
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_the_providers_of_the_settings_are_those_there_are() -> None:
    named = Settings.model_fields["email_by"].annotation

    assert set(get_args(named)) == {"smtp", *PROVIDERS}
