"""Domains that large receivers host."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from nurture.deliverability.hosting import AT_ONCE, UNTOLD_FOR, Hosting
from nurture.deliverability.receivers import by_mail_hosts
from tests.unit.deliverability.written import Written

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TABLE = {
    ("MX", "shop.se"): ["aspmx.l.google.com", "alt1.aspmx.l.google.com"],
    ("MX", "own.se"): ["mail.own.se"],
}


class Clock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("ASPMX.L.GOOGLE.COM.", "gmail"),
        ("shop-se.mail.protection.outlook.com", "outlook"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("mx.yandex.net", "yandex"),
        ("mx.google.com.evil.example", None),
        ("localhost", None),
    ],
)
def test_the_mail_hosts_of_a_domain_say_who_takes_its_mail(host: str, name: str | None) -> None:
    assert by_mail_hosts([host]) == name


async def test_a_hosted_domain_goes_by_its_own_name_until_it_is_known() -> None:
    names = Written(TABLE)
    hosting = Hosting(names)
    before = [hosting.receiver(address) for address in ("ann@shop.se", "bob@shop.se", "ann@own.se", "ann@gmail.com")]
    await hosting.settled()

    assert before == ["shop.se", "shop.se", "own.se", "gmail"]
    assert [hosting.receiver(address) for address in ("ann@Shop.se", "ann@own.se")] == ["gmail", "own.se"]
    assert names.asked == [("MX", "shop.se"), ("MX", "own.se")]


async def test_what_nobody_could_tell_is_asked_again_later() -> None:
    clock, names = Clock(), Written(TABLE, silent=frozenset({"gone.se"}))
    hosting = Hosting(names, clock)
    for _ in range(2):
        hosting.receiver("ann@gone.se")
        await hosting.settled()
    clock.now += UNTOLD_FOR + timedelta(seconds=1)

    assert hosting.receiver("ann@gone.se") == "gone.se"
    await hosting.settled()
    assert len(names.asked) == 2


async def test_a_crowd_of_domains_is_asked_for_a_few_at_a_time() -> None:
    asking, most = 0, 0

    class Slow(Written):
        async def mail_hosts(self, name: str) -> list[str]:
            nonlocal asking, most
            asking += 1
            most = max(most, asking)
            await asyncio.sleep(0)  # a turn of the loop, in which others might begin
            asking -= 1
            return await super().mail_hosts(name)

    hosting = Hosting(Slow({}))
    for n in range(50):
        hosting.receiver(f"ann@shop-{n}.se")
    await hosting.settled()

    assert most <= AT_ONCE
