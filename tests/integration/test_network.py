"""Where our requests may go; SSRF: names and numbers that stand for private addresses, and names that change."""

from collections.abc import AsyncIterator
from datetime import datetime
from ipaddress import ip_address

import httpcore
import pytest
from pydantic import SecretStr

from activities.errands import TryAgain
from activities.webhooks import Webhooks
from nurture.network import Address, Network, is_public, reach
from nurture.settings import Settings
from tests.integration.hook import Hook

IN_PRODUCTION = Settings(_env_file=None, environment="production", secrets=[SecretStr("x" * 32)])
IN_DEVELOPMENT = Settings(_env_file=None)
NOT_CALLED = "the webhook shop is not called: its host is in a private network: NURTURE_PRIVATE_HOOKS=true allows that"
EVERYWHERE = {
    "loopback": ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
    "private": ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1", "fec0::1"],
    "link-local": ["169.254.169.254", "fe80::1", "64:ff9b::a9fe:a9fe"],
    "nowhere": ["0.0.0.0", "::", "240.0.0.1", "255.255.255.255", "224.0.0.1", "ff02::1", "2001:0:7f00:1::"],
}


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook().open() as opened:
        yield opened


class Names:
    """A name server that gives another answer each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int) -> list[Address]:
        return [ip_address(one) for one in self.answers.pop(0)]


async def called(settings: Settings, url: str, now: datetime, names: Names | None = None) -> str:
    hooks = Webhooks({}, Network(reach(settings), names.resolve if names else None))
    try:
        return await hooks.post("shop", url, "one", {}, now)
    finally:
        await hooks.close()


@pytest.mark.parametrize("address", [one for kind in EVERYWHERE.values() for one in kind])
def test_what_is_not_of_the_public_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0", "2130706433", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]"]
)
async def test_production_calls_nothing_on_this_machine_however_it_is_written(
    hook: Hook, now: datetime, host: str
) -> None:
    assert (await called(IN_PRODUCTION, hook.url(host=host), now)).startswith("the webhook shop is not called")
    assert hook.took == []


async def test_development_calls_this_machine_and_no_other_private_one(hook: Hook, now: datetime) -> None:
    assert await called(IN_DEVELOPMENT, hook.url(host="localhost"), now) == ""
    assert await called(IN_DEVELOPMENT, "http://169.254.169.254/latest/meta-data", now) == NOT_CALLED


async def test_a_private_network_is_called_when_the_settings_allow_it(hook: Hook, now: datetime) -> None:
    allowing = IN_PRODUCTION.model_copy(update={"private_hooks": True})

    assert await called(allowing, hook.url(), now) == ""
    assert len(hook.took) == 1


async def test_a_name_with_one_private_address_among_public_ones_is_not_called(hook: Hook, now: datetime) -> None:
    names = Names(["8.8.8.8", "127.0.0.1"])

    assert await called(IN_PRODUCTION, hook.url(host="shop.example"), now, names) == NOT_CALLED


async def test_a_name_is_resolved_once_and_what_was_checked_is_what_is_called(hook: Hook, now: datetime) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"])

    assert await called(IN_DEVELOPMENT, hook.url(host="shop.example"), now, names) == ""
    assert names.answers == [["10.0.0.1"]]
    assert hook.took[0].headers["host"] == f"shop.example:{hook.port}"


async def test_the_next_address_is_tried_where_the_first_does_not_answer(hook: Hook, now: datetime) -> None:
    names = Names(["::1", "127.0.0.1"])

    assert await called(IN_DEVELOPMENT, hook.url(host="shop.example"), now, names) == ""


async def test_a_name_that_is_unknown_is_tried_again(now: datetime) -> None:
    with pytest.raises(TryAgain, match="the webhook shop cannot be reached: ConnectError") as caught:
        await called(IN_PRODUCTION, "http://no.such.host.invalid/", now)
    assert isinstance(caught.value.__cause__, httpcore.ConnectError)
