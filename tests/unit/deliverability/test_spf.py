"""SPF records as RFC 7208 means them."""

from ipaddress import ip_address

import pytest

from nurture.deliverability.spf import Reading, Record, Result
from tests.unit.deliverability.written import Written

OURS, STRANGER, SIX = ip_address("192.0.2.10"), ip_address("203.0.113.9"), ip_address("2001:db8::10")


async def read(*records: str, **others: list[str]) -> tuple[Record, Reading]:
    """The record of example.com, and how it was read; others by `kind__name`, underscores for dots."""
    table = {("TXT", "example.com"): list(records)}
    for key, answers in others.items():
        kind, _, name = key.partition("__")
        table[kind.upper(), name.replace("_", ".")] = answers
    reading = Reading(Written(table, frozenset({"silent.example"})))
    return await reading.read("example.com"), reading


@pytest.mark.parametrize(
    ("record", "ours", "stranger"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", Result.PASS, Result.FAIL),
        ("v=spf1 ip4:192.0.2.10 ~all", Result.PASS, Result.SOFTFAIL),
        ("v=spf1 -ip4:192.0.2.10 +all", Result.FAIL, Result.PASS),
        ("v=spf1 ip4:192.0.2.10", Result.PASS, Result.NEUTRAL),
        ("v=spf1 ?all", Result.NEUTRAL, Result.NEUTRAL),
        ("V=SPF1 IP4:192.0.2.10 -ALL", Result.PASS, Result.FAIL),
        ("v=spf1 -all ip4:192.0.2.10", Result.FAIL, Result.FAIL),
        ("v=spf1 ip4:192.0.2.10 exp=why.example.com -all", Result.PASS, Result.FAIL),
        ("v=spf10 -all", Result.NONE, Result.NONE),
        ("v=spf1 ip:192.0.2.10 -all", Result.PERMERROR, Result.PERMERROR),
        ("v=spf1 ip4:192.0.2.300 -all", Result.PERMERROR, Result.PERMERROR),
        ("v=spf1 exists:%{i}.list.example -all", Result.UNTOLD, Result.UNTOLD),
    ],
)
async def test_a_record_says_who_may_send(record: str, ours: Result, stranger: Result) -> None:
    found, _ = await read(record)

    assert (found.says(OURS), found.says(STRANGER)) == (ours, stranger)


async def test_hosts_and_mail_hosts_stand_for_their_addresses() -> None:
    by_host, _ = await read("v=spf1 a:relay.example -all", a__relay_example=["192.0.2.10"])
    by_mx, _ = await read("v=spf1 mx/24 -all", mx__example_com=["in.example"], a__in_example=["192.0.2.77"])
    by_six, _ = await read("v=spf1 a:relay.example//64 -all", aaaa__relay_example=["2001:db8::1"])

    assert [by_host.says(OURS), by_mx.says(OURS), by_six.says(SIX)] == [Result.PASS] * 3
    assert by_host.says(STRANGER) is Result.FAIL


async def test_an_include_counts_only_when_it_passes_and_a_redirect_in_its_place() -> None:
    included, _ = await read("v=spf1 include:relay.example ~all", txt__relay_example=["v=spf1 ip4:192.0.2.0/24 -all"])
    redirected, _ = await read("v=spf1 redirect=relay.example", txt__relay_example=["v=spf1 ip4:192.0.2.0/24 -all"])

    assert (included.says(OURS), included.says(STRANGER)) == (Result.PASS, Result.SOFTFAIL)
    assert (redirected.says(OURS), redirected.says(STRANGER)) == (Result.PASS, Result.FAIL)
    assert redirected.ends_in == "-"


async def test_lookups_are_counted_through_all_that_is_included() -> None:
    nested = {f"txt__n{n}_example": [f"v=spf1 a mx include:n{n + 1}.example -all"] for n in range(3)}
    _, reading = await read(
        "v=spf1 include:n0.example ip4:192.0.2.1 ptr exists:x.example -all", **nested, txt__n3_example=["v=spf1 -all"]
    )

    assert reading.lookups == 3 + 3 * 3


async def test_two_records_and_one_that_includes_itself_are_worth_nothing() -> None:
    twice, _ = await read("v=spf1 -all", "v=spf1 ip4:192.0.2.10 -all")
    itself, reading = await read("v=spf1 include:example.com ip4:192.0.2.10 -all")

    assert twice.says(OURS) is itself.says(OURS) is Result.PERMERROR
    assert reading.lookups == 1


async def test_an_include_of_nothing_breaks_the_record_and_a_void_lookup_is_counted() -> None:
    found, reading = await read("v=spf1 include:gone.example a:gone.example -all")

    assert found.faults == ["include:gone.example has no SPF record"]
    assert reading.voids == 2


async def test_what_nobody_answers_for_is_not_told() -> None:
    found, _ = await read("v=spf1 include:silent.example -all")

    assert found.says(OURS) is Result.UNTOLD
