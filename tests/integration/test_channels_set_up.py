"""The channels that a worker makes by its settings."""

from typing import Any

import pytest
from pydantic import SecretStr

from activities.channels import channels
from nurture import Messenger
from nurture.catalogue import Catalogue
from nurture.channels import Envelope
from nurture.errors import BadSettings, ProviderUnavailable
from nurture.metrics import Metrics
from nurture.settings import Settings
from nurture.store import Store
from tests.integration.provider import ACCOUNT, KEY, Call, Desk, Reply, twilio
from tests.integration.test_api_channel import LETTER

SMS: dict[str, Any] = {"sms_by": "twilio", "sms_account": ACCOUNT, "sms_key": SecretStr(KEY), "sms_sender": "+4930777"}


async def made(store: Store, **more: Any) -> list[str]:
    own = Catalogue(messengers={"whatsapp": Messenger(key="whatsapp", url="https://bridge.example/in")})
    found = channels(Settings(_env_file=None, **more), store, own, Metrics())
    for one in found.values():
        await one.close()
    return sorted(found)


async def test_what_is_set_up_is_there_and_nothing_else(store: Store) -> None:
    assert await made(store) == ["email", "whatsapp"]
    assert await made(store, **SMS, telegram_token=SecretStr("1:x")) == ["email", "sms", "telegram", "whatsapp"]


async def test_an_sms_goes_through_breaker_and_rate_to_the_provider_that_is_named(store: Store) -> None:
    async with Desk(twilio).open() as desk:
        secrets = {"twilio": SecretStr(KEY)}
        settings = Settings(_env_file=None, **SMS, sms_api_url=desk.url, sms_rate=1, hook_secrets=secrets)
        sms = channels(settings, store, Catalogue(), Metrics())["sms"]
        letter = Envelope(**{**vars(LETTER), "recipient": "+4930123456"})

        for _ in range(2):
            await sms.send(letter)
        with pytest.raises(ProviderUnavailable, match="more than 1 messages a second through sms"):
            await sms.send(letter)
        await sms.close()

    taken, _ = desk.took
    reported = "http://127.0.0.1:8000/hooks/texts/twilio?message=0123456789abcdef"
    assert (taken.to, taken.sender, taken.headers["StatusCallback"]) == ("+4930123456", "+4930777", reported)


async def test_a_locked_sms_account_stops_sms_and_no_mail(store: Store) -> None:
    def locked(_: Desk, __: Call) -> Reply:
        return Reply(401, {"code": 20003})

    async with Desk(locked).open() as desk:
        settings = Settings(_env_file=None, **SMS, sms_api_url=desk.url)
        every = channels(settings, store, Catalogue(), Metrics())
        letter = Envelope(**{**vars(LETTER), "recipient": "+4930123456"})
        for _ in range(2):
            with pytest.raises(ProviderUnavailable):
                await every["sms"].send(letter)
        with pytest.raises(ProviderUnavailable, match="nothing was handed over"):
            await every["email"].send(LETTER)
        for one in every.values():
            await one.close()

    assert len(desk.calls) == 1


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"sms_by": "twilio"}, "asks for NURTURE_SMS_ACCOUNT and NURTURE_SMS_KEY"),
        ({**SMS, "sms_sender": ""}, "set NURTURE_SMS_SENDER"),
        ({**SMS, "sms_opt_out": {"de": "STOP"}}, "say in English"),
        ({"telegram_bot": "@our bot"}, "telegram_bot"),
    ],
)
def test_what_a_channel_lacks_is_told_with_the_remedy(given: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        Settings(_env_file=None, **given)


async def test_a_notice_channel_that_cannot_be_keeps_the_worker_from_starting(store: Store) -> None:
    with pytest.raises(BadSettings, match="NURTURE_TEAM_NOTICES"):
        await made(store, team_notices={"sales": SecretStr("nowhere")})
