"""Temporal that is not there, and settings of Temporal that cannot be used."""

import socket
from pathlib import Path

import pytest

from nurture.errors import BadSettings, Unavailable
from workflows.connection import connect, quiet_runtime

NOBODY = "127.0.0.1:1"


async def _none(key: str) -> str:
    raise KeyError(key)


async def test_a_server_that_is_not_there_is_named_with_the_reason_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY)

    with pytest.raises(Unavailable) as caught:
        await connect(_none)
    assert str(caught.value) == (
        f"Temporal at {NOBODY} cannot be reached: Connection refused; start a server (nurture dev) or set TEMPORAL_ADDRESS"
    )


async def test_a_key_that_is_none_is_the_reason_and_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", NOBODY)
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_DATA", "canary")
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_DATA", "canary")

    with pytest.raises(
        BadSettings, match="the client's key cannot be read; set TEMPORAL_TLS_CLIENT_KEY_PATH"
    ) as caught:
        await connect(_none)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TEMPORAL_ADDRESS": "somewhere:999999"}, "TEMPORAL_ADDRESS: somewhere:999999 is no address"),
        (
            {"TEMPORAL_ADDRESS": NOBODY, "TEMPORAL_TLS_CLIENT_CERT_DATA": "alone"},
            "without its key, or the other way round; set both TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH",
        ),
        ({"TEMPORAL_PROFILE": "nobody"}, "the settings cannot be used: Profile 'nobody' not found"),
        (
            {"TEMPORAL_TLS_CLIENT_CERT_PATH": "/nowhere/cert", "TEMPORAL_TLS_CLIENT_KEY_PATH": "/nowhere/key"},
            "/nowhere/cert cannot be read: No such file or directory",
        ),
    ],
)
async def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], words: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as caught:
        await connect(_none)
    assert words in str(caught.value)


async def test_a_broken_file_of_settings_is_told_without_its_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "temporal.toml").write_text('api_key = ["canary"')
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))

    with pytest.raises(BadSettings, match="TOML parse error at line 1") as caught:
        await connect(_none)
    assert "canary" not in str(caught.value)


def test_a_port_of_metrics_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(BadSettings, match=f"NURTURE_TEMPORAL_METRICS_PORT: 127.0.0.1:{port} cannot be listened on"):
            quiet_runtime("127.0.0.1", port)
