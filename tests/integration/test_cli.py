import asyncio
import json
import logging
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlmodel import SQLModel, select
from typer.testing import CliRunner, Result

from nurture.catalogue import Catalogue
from nurture.cli.main import app
from nurture.loader import load
from nurture.store import Store
from nurture.store.models import (
    CampaignRow,
    ConsentRow,
    ErasureRow,
    EventRow,
    LeadRow,
    MessageRow,
    OutboxRow,
    VersionRow,
)
from tests.integration.bulk import a_lead, settle
from tests.integration.commands import run
from tests.integration.life import Life

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("repository")


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """A command that logs sets that up for its process, which here is that of the tests."""
    before = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = before
    structlog.reset_defaults()


@pytest.fixture
async def life(tmp_path: Path, repository: None) -> AsyncIterator[Life]:
    """The campaign of the repository, in which leads live."""
    store = Store(f"sqlite:///{tmp_path / 'nurture.db'}")
    async with Life(store, datetime.now(UTC).replace(hour=12), templates=tmp_path / "templates") as life:
        yield life
    await store.close()


async def said(*arguments: str) -> str:
    """What a command says while a life goes on."""
    result = await asyncio.to_thread(run, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def rows(model: type[SQLModel]) -> list[Any]:
    async def read(store: Store) -> list[Any]:
        async with store.read() as session:
            return list((await session.exec(select(model))).all())

    return asyncio.run(with_store(read))


async def with_store(work: Callable[[Store], Awaitable[Any]]) -> Any:
    store = Store("sqlite:///nurture.db")
    try:
        return await work(store)
    finally:
        await store.close()


def leads_file(*lines: str) -> str:
    Path("leads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "leads.csv"


def imported(*lines: str) -> Result:
    return run("import", leads_file(*lines))


# --- the program itself ---


def test_help_loads_no_database_and_no_engine() -> None:
    code = "import sys; from typer.testing import CliRunner; from nurture.cli import app; CliRunner().invoke(app, ['--help'])"
    code += "; print([name for name in ('sqlalchemy', 'temporalio', 'jinja2', 'httpx') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert told.stdout == "[]\n"


def test_the_tests_of_a_new_repository_pass(tmp_path: Path) -> None:
    options = ["-q", "-p", "no:cacheprovider", "--asyncio-mode=auto"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "tests")]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "3 passed" in told.stdout, told.stdout


@pytest.mark.parametrize(
    ("preset", "said"), [("long", "7 campaigns, 18 templates"), ("retail", "5 campaigns, 15 templates")]
)
def test_a_preset_has_nothing_wrong_and_its_own_tests_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, said: str
) -> None:
    folder = tmp_path / preset
    assert run("init", str(folder), "--preset", preset).exit_code == 0
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")

    assert run("check").output == f"{said}: no faults\n"
    tested = subprocess.run([sys.executable, "-m", "pytest", "-q"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


def test_a_port_in_use_is_one_clear_line_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = run("web", "--port", str(taken.getsockname()[1]))
    assert (told.exit_code, "(Address already in use): say another --port" in told.output) == (1, True)


# --- the database ---


def test_a_database_without_tables_is_one_clear_line_with_the_remedy() -> None:
    told = run("journeys", NURTURE_DATABASE_URL="sqlite:///other.db")
    assert (told.exit_code, told.output) == (
        1, "nurture: the database has no tables of nurture yet: make them with nurture db upgrade\n"
    )  # fmt: skip


def test_upgrade_makes_the_tables() -> None:
    assert run("db", "upgrade", NURTURE_DATABASE_URL="sqlite:///other.db").output == "the tables are up to date\n"
    assert run("journeys", NURTURE_DATABASE_URL="sqlite:///other.db").output == "no journeys yet\n"


def test_a_database_out_of_reach_is_one_clear_line_without_its_password() -> None:
    told = run("journeys", NURTURE_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/x")
    assert (told.exit_code, told.output.count("\n"), "secret" in told.output) == (1, 1, False)
    assert "Connection refused; see that it runs and lets this user in, or set NURTURE_DATABASE_URL" in told.output


# --- publish ---


def test_publish_tells_number_and_hash_and_that_it_is_new() -> None:
    assert re.fullmatch(r"welcome version 1 \([0-9a-f]{12}\): published\n", run("publish", "--by", "ann").output)
    assert [row.published_by for row in rows(VersionRow)] == ["ann"]


def test_publish_again_changes_nothing() -> None:
    run("publish")
    assert run("publish", "welcome").output.endswith(": unchanged\n")


def test_publish_notes_the_commit() -> None:
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@x.org commit -q -m x --no-gpg-sign"):
        subprocess.run(["git", *command.split()], check=True)
    run("publish")
    [version] = rows(VersionRow)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert head.startswith(version.commit)
    assert version.commit


def test_nothing_is_published_when_anything_is_wrong() -> None:
    Path("campaigns/worse.py").write_text("import nurtur\n")
    told = run("publish", "welcome")
    assert (told.exit_code, "campaigns/worse.py:1" in told.output, rows(CampaignRow)) == (1, True, [])


# --- import ---


def test_leads_are_imported() -> None:
    told = imported("email,First name,company.turnover,tags", "ann@x.org,Ann,2000000,vip;shop", "bo@x.org,Bo,,")
    assert told.output.splitlines()[-1] == "2 rows: 2 new, 0 changed, 0 as they were, 0 bad"
    ann = next(row for row in rows(LeadRow) if row.email == "ann@x.org")
    assert ann.profile == {
        "email": "ann@x.org", "first_name": "Ann", "company": {"turnover": 2_000_000}, "tags": ["vip", "shop"]
    }  # fmt: skip


def test_a_second_run_changes_nothing_and_says_so() -> None:
    lines = ("email,first_name,tags", "ann@x.org,Ann,vip", "bo@x.org,Bo,")
    imported(*lines)
    before = [row.profile for row in rows(LeadRow)], len(rows(OutboxRow))
    assert imported(*lines).output.splitlines()[-1] == "2 rows: nothing changed, all of them were imported before"
    assert ([row.profile for row in rows(LeadRow)], len(rows(OutboxRow))) == before


def test_a_row_that_changed_is_counted() -> None:
    imported("email,city", "ann@x.org,Bonn", "bo@x.org,Bonn")
    assert (
        "2 rows: 0 new, 1 changed, 1 as they were" in imported("email,city", "ann@x.org,Köln", "bo@x.org,Bonn").output
    )


def test_a_row_that_cannot_be_used_is_told_with_its_line_and_harms_no_other() -> None:
    told = imported("email,country", "ann@x.org,DE", "not an address,DE", "bo@x.org,Atlantis")
    assert told.exit_code == 1
    assert "leads.csv:3: lead.email: is no e-mail address" in told.output
    assert "leads.csv:4: lead.country: is no country: write its two letters" in told.output
    assert "3 rows: 1 new, 0 changed, 0 as they were, 2 bad" in told.output


def test_bad_rows_can_go_to_a_file() -> None:
    told = run("import", leads_file("email", "nobody"), "--errors", "bad.txt")
    assert "is no e-mail address" not in told.output
    assert Path("bad.txt").read_text().startswith("leads.csv:2: lead.email: is no e-mail address")


def test_columns_can_be_mapped_and_left_out() -> None:
    run("import", leads_file("Mail,Firma,Alter", "ann@x.org,Acme,33"), "--map", "Firma=company.name", "--map", "Alter=")
    assert [row.profile for row in rows(LeadRow)] == [{"email": "ann@x.org", "company": {"name": "Acme"}}]


def test_a_file_in_windows_1251_is_read_and_said_to_be() -> None:
    Path("leads.csv").write_bytes("email;city\nann@x.org;Москва\n".encode("cp1251"))
    assert "is not UTF-8 and was read as Windows-1251" in run("import", "leads.csv").output
    assert [row.profile["city"] for row in rows(LeadRow)] == ["Москва"]


def test_a_formula_is_data() -> None:
    imported("email,company.name", "ann@x.org,=1+1")
    assert [row.profile["company"]["name"] for row in rows(LeadRow)] == ["=1+1"]


def test_consent_is_noted_with_its_source() -> None:
    run("import", leads_file("email", "ann@x.org"), "--consent", "news", "--consent-source", "fair in Bonn")
    assert [(row.topic, row.granted, row.source) for row in rows(ConsentRow)] == [("news", True, "fair in Bonn")]


def test_an_import_never_overrides_a_no() -> None:
    consent = ("--consent", "news", "--consent-source", "fair in Bonn")
    run("import", leads_file("email", "ann@x.org"), *consent)
    asyncio.run(with_store(refuse_news))
    told = run("import", leads_file("email", "ann@x.org"), *consent).output
    assert "1 lead said no before and was left so" in told
    assert [row.granted for row in rows(ConsentRow)] == [True, False]


async def refuse_news(store: Store) -> None:
    async with store.write() as session:
        [lead] = (await session.exec(select(LeadRow))).all()
        session.add(ConsentRow(lead_id=lead.id, topic="news", granted=False, source="link", at=datetime.now(UTC)))


def test_more_rows_than_fit_a_batch_keep_their_lines() -> None:
    told = imported("email", *(f"lead{number}@x.org" for number in range(1200)), "nobody")
    assert "leads.csv:1202: lead.email" in told.output
    assert "1,201 rows: 1,200 new, 0 changed, 0 as they were, 1 bad" in told.output


# --- enrol, journeys, pause, resume, stop, remove ---


def enrolled(*options: str, **env: str) -> Result:
    run("publish")
    imported("email,test", "ann@x.org,", "tess@x.org,yes")
    return run("enrol", "welcome", *options, **env)


def orders(kind: str) -> list[dict[str, Any]]:
    return [row.body for row in rows(OutboxRow) if row.kind == kind]


def test_a_lead_is_enrolled_by_any_of_its_names() -> None:
    told = enrolled("ANN@x.org", "--key", "spring")
    assert told.output == "1 lead to be entered into welcome; nurture why LEAD tells what became of it\n"
    assert orders("enrol") == [
        {"campaign": "welcome", "key": "spring", "by": "by hand", "manual": True, "speed": None}
    ]  # fmt: skip


def test_an_unknown_lead_keeps_all_from_being_enrolled() -> None:
    told = enrolled("ann@x.org", "nobody@x.org")
    assert (told.exit_code, "no lead goes by 'nobody@x.org'" in told.output, orders("enrol")) == (1, True, [])


def test_speed_is_refused_in_production() -> None:
    production = {"NURTURE_ENVIRONMENT": "production", "NURTURE_SECRETS": json.dumps(["x" * 32])}
    told = enrolled("tess@x.org", "ann@x.org", "--speed", "1d=1s", **production)
    assert (told.exit_code, "--speed is for development and for test leads" in told.output) == (1, True)
    assert enrolled("tess@x.org", "--speed", "1d=1s", **production).exit_code == 0


def test_speed_in_development_goes_with_the_order() -> None:
    enrolled("ann@x.org", "--speed", "1d=1s")
    assert [order["speed"] for order in orders("enrol")] == ["1d=1s"]


def test_speed_that_cannot_be_read_tells_how_to_write_it() -> None:
    assert "write for example 1d=1s" in enrolled("ann@x.org", "--speed", "fast").output


def test_a_campaign_that_is_not_published_is_one_clear_line() -> None:
    for command in (
        ["enrol", "none", "ann@x.org"],
        ["pause", "none"],
        ["resume", "none"],
        ["journeys", "--campaign", "none"],
    ):
        told = run(*command)
        assert (told.exit_code, "campaign 'none' is not published" in told.output) == (1, True)


def test_a_campaign_is_paused_and_goes_on() -> None:
    run("publish")
    assert run("pause", "welcome").output == "welcome is paused: its journeys hold at their next move\n"
    assert run("pause", "welcome").output == "welcome was paused already\n"
    assert run("resume", "welcome", "--over", "10m").output == "welcome goes on; 0 journeys held\n"
    assert run("resume", "welcome").output == "welcome was not paused\n"


def test_a_length_that_cannot_be_read_tells_how_to_write_it() -> None:
    assert "--over '10' cannot be read: write a number and a unit" in run("resume", "welcome", "--over", "10").output


async def test_journeys_are_counted_and_listed(life: Life) -> None:
    await said("publish")
    await life.lead()
    await life.happens("subscribed")
    told = await said("journeys", "--state", "hello")
    assert re.search(r"welcome +active +hello +1\n", told)
    assert re.search(r"[0-9a-f]{8}  \d\d-\d\d \d\d:\d\d  ann@example.com  welcome 1  hello, until", told)


async def test_journeys_for_programs_carry_no_address(life: Life) -> None:
    await said("publish")
    lead_id = await life.lead()
    await life.happens("subscribed")
    told = await said("journeys", "--json")
    assert [row["lead_id"] for row in json.loads(told)["journeys"]] == [lead_id]
    assert "ann@example.com" not in told


def test_a_status_mistyped_is_put_right() -> None:
    assert 'did you mean "active"?' in run("journeys", "--status", "activ").output


async def test_a_lead_is_stopped_for_a_reason_that_is_kept(life: Life) -> None:
    await said("publish")
    await life.lead()
    await life.happens("subscribed")
    assert await said("stop", "--lead", "ann@example.com", "--because", "asked by phone") == "1 journey to be stopped\n"
    await life.passes(days=1)
    assert re.search(r"welcome +ended +hello +1\n", await said("journeys"))
    assert "stopped: asked by phone" in await said("why", "ann@example.com")


async def test_a_journey_is_stopped_by_the_beginning_of_its_id(life: Life) -> None:
    await said("publish")
    await life.lead()
    await life.happens("subscribed")
    [row] = json.loads(await said("journeys", "--json"))["journeys"]
    assert await said("stop", row["id"][:8], "--because", "x") == "1 journey to be stopped\n"


def test_a_journey_that_is_none_is_named() -> None:
    run("publish")
    assert "no journey begins with '%'" in run("stop", "%", "--because", "x").output


@pytest.mark.parametrize("options", [[], ["id", "--lead", "ann@x.org"]])
def test_stop_takes_either_a_journey_or_a_lead(options: list[str]) -> None:
    assert "name either a journey or a --lead" in run("stop", *options, "--because", "x").output


def test_stop_asks_for_a_reason() -> None:
    assert "give the reason" in run("stop", "id").output


async def test_a_lead_is_removed_from_all_journeys(life: Life) -> None:
    await said("publish")
    await life.lead()
    assert await said("remove", "ann@example.com") == "it is in no journey\n"
    await life.happens("subscribed")
    assert await said("remove", "ann@example.com") == "1 journey to be stopped\n"


# --- timeline, duplicates, merge ---


async def test_the_timeline_shows_what_happened_page_by_page(life: Life) -> None:
    await life.lead()
    await life.passes(minutes=1)
    await life.happens("visit", page="/prices")

    told = await said("timeline", "ann@example.com", "--limit", "1")
    assert "event  visit (page /prices)" in told
    before = told.split("--before ")[1].strip()
    assert "consent  yes to news (form)" in await said("timeline", "ann@example.com", "--before", before)
    assert json.loads(await said("timeline", "ann@example.com", "--json"))["entries"][0]["about"]["name"] == "visit"


async def test_leads_that_may_be_one_are_suggested_and_merged_by_a_person(life: Life) -> None:
    known: dict[str, Any] = {"first_name": "Ann", "last_name": "Exampleton", "company": {"name": "Example Trading"}}
    ann = await life.lead("ann@example.com", **known)
    await life.lead("exampleton@example.com", **known)

    [row] = (await said("duplicates")).splitlines()[1:]
    assert row.split(maxsplit=1)[0] == "100"
    assert row.endswith("the same name, the same company")
    [pair] = json.loads(await said("duplicates", "--json"))
    assert ann in (pair["one"], pair["other"])
    told = await said("merge", "ann@example.com", "exampleton@example.com", "--dry-run")
    assert f"would become {ann}" in told
    assert run("merge", "ann@example.com", "exampleton@example.com").exit_code == 1
    assert len(await asyncio.to_thread(rows, LeadRow)) == 2

    assert f"is now {ann}" in await said("merge", "ann@example.com", "exampleton@example.com", "--yes")
    assert "no two leads are so much alike" in await said("duplicates")
    assert "known by exampleton@example.com; merged by" in await said("why", "ann@example.com")


# --- why ---


async def test_why_tells_the_story(life: Life) -> None:
    await said("publish")
    await life.lead(first_name="Ann")
    await life.happens("subscribed", page="home")
    await life.clicks("welcome/hello")
    told = await said("why", "ann@example.com")
    assert told.startswith("Ann · ann@example.com · lead ")
    assert re.search(
        r"welcome, version 1 \([0-9a-f]{12}\)\njourney [0-9a-f]{32}\nentered .* by subscribed \(page home\)\n", told
    )
    assert re.search(r"hello +sent +welcome/hello: in en", told)
    assert re.search(r"heard +a click in welcome/hello → interested", told)
    assert re.search(r"done +tag interested → the end", told)
    assert re.search(r"\nEnded .* in interested: done\n", told)


async def test_why_tells_where_a_journey_stands(life: Life) -> None:
    await said("publish")
    await life.lead()
    await life.happens("subscribed")
    told = await said("why", "ann@example.com", "--campaign", "welcome")
    assert re.search(r"Now in hello since .*: waits until ", told)
    assert "  for\n    a click in welcome/hello → interested\n    otherwise → remind\n" in told
    assert "  and at any time hears\n    order paid → on\n" in told


async def test_why_tells_what_a_lead_never_entered(life: Life) -> None:
    await said("publish")
    await life.lead()
    told = await said("why", "ann@example.com")
    assert re.search(r"Never entered\nwelcome  on subscribed: it has not happened", told)


async def test_why_tells_why_a_message_was_not_sent(life: Life) -> None:
    await said("publish")
    await life.lead(consents={"news": False})
    await life.happens("subscribed")
    told = await said("why", "ann@example.com", "--message", "welcome/hello")
    assert "welcome/hello was not sent to this lead" in told
    assert "state hello, step 1: it was withheld: unsubscribed from news" in told
    assert "not yet: the way there is hello → remind" in await said(
        "why", "ann@example.com", "--message", "welcome/remind"
    )


async def test_why_for_programs_holds_the_same(life: Life) -> None:
    await said("publish")
    lead_id = await life.lead()
    await life.happens("subscribed")
    told = json.loads(await said("why", lead_id, "--json"))
    assert [line["kind"] for line in told["journeys"][0]["lines"]] == ["sent", "waits"]


def test_why_of_nobody_is_one_clear_line() -> None:
    told = run("why", "nobody@x.org")
    assert (told.exit_code, told.output.startswith("nurture: no lead goes by 'nobody@x.org'")) == (1, True)


# --- export and erase ---


async def test_all_that_is_known_of_a_lead_is_exported(life: Life, tmp_path: Path) -> None:
    await said("publish")
    lead_id = await life.lead(first_name="Ann", city="=HYPERLINK(1)")
    await life.happens("subscribed", page="home")

    shown = json.loads(await said("export", "ann@example.com"))
    await said("export", lead_id, "--out", str(tmp_path / "ann.json"))

    written = json.loads((tmp_path / "ann.json").read_text())
    assert written | {"exported_at": None} == shown | {"exported_at": None}
    assert (shown["format"], shown["lead_id"]) == ("nurture/lead/1", lead_id)
    tables = shown["tables"]
    assert tables["leads"][0]["profile"] == {
        "email": "ann@example.com", "first_name": "Ann", "city": "=HYPERLINK(1)"
    }  # fmt: skip
    assert [row["value"] for row in tables["identities"]] == ["ann@example.com"]
    assert "home" in str(tables["events"])
    assert [row["template"] for row in tables["messages"]] == ["welcome/hello"]


async def test_a_lead_is_erased_and_its_row_in_the_next_import_is_left_out(life: Life) -> None:
    await said("publish")
    await life.lead()
    await life.happens("subscribed")

    told = await said("erase", "ann@example.com", "--yes", "--by", "dpo")
    await life.settle()
    again = await asyncio.to_thread(imported, "email,first_name", "ann@example.com,Ann", "bob@example.com,Bob")

    assert re.fullmatch(r"erased: \d+ rows; 1 journey to be deleted by the worker\n", told)
    assert "2 rows: 1 new, 0 changed, 0 as they were, 0 bad" in again.output
    assert (again.exit_code, "1 row left out: who they name was erased" in again.output) == (0, True)
    assert [row.email for row in await asyncio.to_thread(rows, LeadRow)] == ["bob@example.com"]
    assert {row.by for row in await asyncio.to_thread(rows, ErasureRow)} == {"dpo"}


def test_nothing_is_erased_before_a_person_says_yes() -> None:
    imported("email", "ann@example.com")

    asked = CliRunner().invoke(app, ["erase", "ann@example.com"], input="n\n")

    assert (asked.exit_code, "no way back" in asked.output) == (1, True)
    assert len(rows(LeadRow)) == 1


# --- keys ---


def test_a_key_is_shown_once_and_can_be_revoked() -> None:
    key = run("keys", "make", "shop", "--scope", "events:write").output
    key_id = key.split("_")[1]
    assert run("keys", "revoke", key_id).output == f"key {key_id} is revoked\n"
    told = run("keys", "list").output
    assert (f"{key_id}  shop" in told, key.strip() in told) == (True, False)


def test_an_unknown_scope_names_those_there_are() -> None:
    assert "there are events:write" in run("keys", "make", "shop", "--scope", "everything").output


# --- audiences ---

NEWS = """
from nurture import Audience, Mailing, lead
everybody = Audience(key="everybody", who=lead.email.known())
news = Mailing(key="news", template="welcome/hello", audience="everybody")
"""


@pytest.fixture
def news() -> None:
    """A repository with an audience and a mailing."""
    Path("campaigns/news.py").write_text(NEWS)


def run_id(told: str) -> str:
    """The id of the run that a command says it has ordered."""
    return told.rsplit(maxsplit=1)[-1]


async def listed() -> str:
    """The one run, as the list shows it, without its id and time."""
    line = (await said("bulk", "list")).splitlines()[1]
    return re.sub(r" {2,}", " | ", line).partition(" | ")[2]


async def test_an_audience_is_entered_into_a_campaign(news: None, life: Life) -> None:
    await said("publish")
    await life.lead()
    told = await said("enrol", "welcome", "--audience", "everybody", "--rate", "20/s")
    assert told.startswith("everybody: to be entered into welcome, 20/s at the most, as bulk run ")
    await life.passes(days=1)

    assert re.search(r"welcome +active +hello +1\n", await said("journeys"))
    assert (await listed()).startswith("enrol welcome | everybody | done | 1 entered | ")
    assert f"by bulk run {run_id(told)} of the audience everybody" in await said("why", "ann@example.com")


async def test_a_mailing_is_sent_and_told(news: None, life: Life) -> None:
    await life.lead()
    await said("mail", "news")
    await life.passes(days=1)

    assert (await listed()).startswith("mailing news | everybody | done | 1 accepted | ")
    assert re.search(r"\nMailings\n.* +news +sent +welcome/hello: in en\n", await said("why", "ann@example.com"))
    assert "a mailing: it was sent 2" in await said("why", "ann@example.com", "--message", "welcome/hello")


async def test_a_template_is_sent_as_a_mailing_of_its_own(news: None, life: Life) -> None:
    await life.lead()
    await said("mail", "welcome/hello", "--audience", "everybody", "--topic", "events")
    await life.passes(days=1)

    assert (await listed()).startswith("mailing welcome-hello | everybody | done | 1 suppressed | ")
    assert "no consent to events" in await said("why", "ann@example.com")


async def test_a_run_is_paused_resumed_and_cancelled(news: None, life: Life) -> None:
    await said("publish")
    run = run_id(await said("enrol", "welcome", "--audience", "everybody"))
    assert await said("bulk", "pause", run) == f"bulk run {run} is paused\n"
    assert await said("bulk", "pause", run) == f"bulk run {run} was paused already\n"
    assert await said("bulk", "resume", run) == f"bulk run {run} goes on\n"
    assert await said("bulk", "resume", run) == f"bulk run {run} was not paused, and is given a push\n"
    assert await said("bulk", "cancel", run) == f"bulk run {run} is cancelled\n"
    assert (await listed()).startswith("enrol welcome | everybody | cancelled | none yet | ")


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        (["enrol", "welcome", "--audience", "evrybody"], 'did you mean "everybody"?'),
        (["enrol", "welcome", "--audience", "everybody"], "publish it with nurture publish"),
        (["enrol", "welcome"], "name either leads"),
        (["enrol", "welcome", "ann", "--audience", "everybody"], "name either leads"),
        (["enrol", "welcome", "--audience", "everybody", "--rate", "fast"], "such as 50/s"),
        (["mail", "nwes"], 'did you mean "news"?'),
        (["mail", "welcome/helo", "--audience", "everybody"], 'did you mean "welcome/hello"?'),
        (["bulk", "pause", "nothing"], "nurture bulk list shows them"),
    ],
)
def test_an_order_for_an_audience_that_cannot_be_carried_out_tells_what_helps(
    news: None, command: list[str], remedy: str
) -> None:
    told = run(*command)
    assert (told.exit_code, remedy in told.output) == (1, True), told.output


# --- dead letters ---


async def buried(life: Life) -> None:
    """A lead that is to enter a campaign which is not published."""
    lead_id = await life.lead()
    async with life.store.write() as session:
        body = {"campaign": "welcome", "by": "by hand", "manual": True}
        session.add(OutboxRow(lead_id=lead_id, kind="enrol", body=body, due_at=life.now, created_at=life.now))
    await life.settle()


async def test_dead_letters_are_listed_with_their_reason(life: Life) -> None:
    await buried(life)
    shown = await said("dead-letters", "list")
    [letter] = json.loads(await said("dead-letters", "list", "--json"))["dead_letters"]

    assert "campaign 'welcome' is not published" in shown
    assert "1 dead letter; nurture dead-letters retry" in shown
    assert (letter["kind"], letter["body"]["campaign"]) == ("enrol", "welcome")


async def test_a_dead_letter_is_tried_again(life: Life) -> None:
    await buried(life)
    await said("publish")

    assert "1 dead letter to be tried again" in await said("dead-letters", "retry", "--all")
    life.now = datetime.now(UTC)
    await life.settle()
    assert await said("dead-letters", "list") == "no dead letters\n"
    assert "welcome" in await said("journeys")


async def test_a_dead_letter_is_dropped_for_a_reason_that_the_log_keeps(life: Life) -> None:
    await buried(life)
    [letter] = json.loads(await said("dead-letters", "list", "--json"))["dead_letters"]
    code = "from nurture.cli.main import main; main()"
    command = [sys.executable, "-c", code, "dead-letters", "drop", str(letter["id"]), "--because", "a typing error"]
    told = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    [line] = [json.loads(one) for one in told.stderr.splitlines()]

    assert told.stdout == "1 dead letter dropped\n"
    assert (line["action"], line["row"], line["because"]) == ("dead_letter.dropped", letter["id"], "a typing error")
    assert await said("dead-letters", "list") == "no dead letters\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("drop", "--all"), 'give the reason: --because "the campaign is gone"'),
        (("retry",), "name the dead letters by their ids, or say --all"),
        (("retry", "7", "--all"), "name the dead letters by their ids, or say --all"),
        (("retry", "7"), "there is no dead letter 7"),
    ],
)
def test_what_is_not_said_clearly_of_dead_letters_is_asked_for(arguments: tuple[str, ...], told: str) -> None:
    result = run("dead-letters", *arguments)
    assert (result.exit_code, told in result.output) == (1, True), result.output


# --- hand-offs ---


HANDING_OVER = """
from nurture import Campaign, Definition, Salesperson, State, Team, days, escalate, lead, on, wait

ready = Definition(key="ready", ready=lead.email.known())
sales = Team(
    key="sales", lead="boss@example.com", reasons=["no budget"],
    people=[Salesperson(key="ann", name="Ann", email="ann@example.com"),
            Salesperson(key="bob", name="Bob", email="bob@example.com")],
)
campaign = Campaign("handed", enters=[on("asked")], states=[State("one", [escalate("ready"), wait(days(30))])])
"""


def written() -> Catalogue:
    """That campaign, in the repository."""
    Path("campaigns/handed.py").write_text(HANDING_OVER)
    return load(Path("campaigns"))


async def handed_over(life: Life) -> str:
    """A lead with sales, by the beginning of the hand-off's id."""
    catalogue = await asyncio.to_thread(written)
    life.walkers.equipment = replace(life.walkers.equipment, catalogue=catalogue)
    await said("publish")
    life.now = datetime.now(UTC)
    await life.lead("lead@example.com")
    await life.happens("asked", to="lead@example.com")
    await life.passes(minutes=1)
    [row] = json.loads(await said("hand-offs", "list", "--json"))
    return str(row["id"][:12])


async def test_hand_offs_are_listed_and_shown_with_all_that_was_done(life: Life) -> None:
    one = await handed_over(life)
    listed, shown = await said("hand-offs", "list", "--with", "ann"), await said("hand-offs", "show", one)
    whole = json.loads(await said("hand-offs", "show", one, "--json"))

    assert all(word in listed for word in (one, "lead@example.com", "ready", "open"))
    assert all(word in shown for word in ("with ann of sales: by turn", "assigned"))
    assert (whole["dossier"]["who"]["email"], whole["deeds"][0]["deed"]) == ("lead@example.com", "assigned")
    assert await said("hand-offs", "list", "--status", "accepted") == "none\n"


async def test_a_hand_off_is_answered_for_somebody_once(life: Life) -> None:
    one = await handed_over(life)

    assert f"hand-off {one} was accepted on" in await said("hand-offs", "answer", one, "--accept", "--by", "ann")
    assert "already was accepted" in await said("hand-offs", "answer", one, "--accept")
    refused = await asyncio.to_thread(run, "hand-offs", "answer", one, "--reject", "no budget")
    assert (refused.exit_code, "was accepted on" in refused.output) == (1, True)
    await life.passes(days=1)
    report = json.loads(await said("report", "definitions", "--json"))
    assert [(row["definition"], row["accepted"]) for row in report["definitions"]] == [("ready", 1)]
    assert "ready: nothing is wrong that the numbers tell" in await said("report", "definitions")


async def test_a_hand_off_is_given_to_somebody_else_who_is_told(life: Life) -> None:
    one = await handed_over(life)

    assert await said("hand-offs", "reassign", one, "--to", "bob") == f"hand-off {one} is now with bob\n"
    await life.passes(minutes=1)
    assert life.postbox.mails[-1].recipient == "bob@example.com"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "none"), "no hand-off begins with 'none'"),
        (("answer", "none"), "say --accept, or --reject"),
        (("answer", "none", "--accept", "--reject", "x"), "say --accept, or --reject"),
        (("reassign", "none", "--to", "bob"), "no hand-off begins with 'none'"),
    ],
)
def test_what_is_not_said_clearly_of_hand_offs_is_asked_for(arguments: tuple[str, ...], told: str) -> None:
    result = run("hand-offs", *arguments)
    assert (result.exit_code, told in result.output) == (1, True), result.output


async def test_nobody_of_the_team_by_that_name_is_asked_back(life: Life) -> None:
    one = await handed_over(life)
    refused = await asyncio.to_thread(run, "hand-offs", "reassign", one, "--to", "bop")
    wrong = await asyncio.to_thread(run, "hand-offs", "answer", one, "--reject", "none")

    assert "nobody of sales goes by 'bop': did you mean \"bob\"?" in refused.output
    assert "begin with one of these: no budget" in wrong.output


def test_a_report_of_nothing_says_so() -> None:
    assert "nothing was handed over in the last 90 days" in run("report", "definitions").output


# --- messages in doubt ---


async def in_doubt(life: Life, lead_id: str | None = None) -> str:
    about: dict[str, Any] = {
        "campaign": "welcome",
        "template": "welcome/hello",
        "channel": "email",
        "purpose": "marketing",
    }
    row = MessageRow(
        occurrence="a/0/1", topic="news", status="unknown", message_id="<m@x>", due_at=life.now, updated_at=life.now,
        committed_at=life.now, reason="handed over, and no answer came", lead_id=lead_id, **about,
    )  # fmt: skip
    async with life.store.write() as session:
        session.add(row)
    return row.id


@pytest.mark.parametrize(("said_so", "status"), [("--sent", "accepted"), ("--never-sent", "rejected")])
async def test_a_message_in_doubt_is_settled_by_what_a_person_found_out(life: Life, said_so: str, status: str) -> None:
    message = await in_doubt(life)
    assert message in await said("unknown", "list")
    await said("unknown", "settle", message, said_so, "--because", "the relay's log")

    async with life.store.read() as session:
        row = await session.get_one(MessageRow, message)
    assert (row.status, row.reason) == (status, "by hand: the relay's log")
    assert row.accepted_at == (life.now if status == "accepted" else None)
    assert await said("unknown", "list") == "no message is in doubt\n"
    again = await asyncio.to_thread(run, "unknown", "settle", message, "--sent", "--because", "x")
    assert f"message {message} is not in doubt: it is {status}" in again.output


@pytest.mark.parametrize(("said_so", "events"), [("--sent", ["message_sent"]), ("--never-sent", [])])
async def test_a_message_that_a_person_found_sent_is_told_of_as_any_other(
    life: Life, said_so: str, events: list[str]
) -> None:
    [lead_id] = await settle(life.store, [a_lead(1, life.now)], life.now)
    message = await in_doubt(life, lead_id)
    await said("unknown", "settle", message, said_so, "--because", "the relay's log")

    async with life.store.read() as session:
        recorded = (await session.exec(select(EventRow).where(EventRow.lead_id == lead_id))).all()
    assert [(one.name, one.properties["message"]) for one in recorded] == [(name, message) for name in events]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("x", "--sent"), "say --sent or --never-sent, and where it is known from"),
        (("x", "--because", "y"), "say --sent or --never-sent, and where it is known from"),
        (("x", "--sent", "--because", "y"), "there is no message 'x': nurture unknown list"),
    ],
)
def test_a_message_is_not_settled_on_a_guess(arguments: tuple[str, ...], told: str) -> None:
    result = run("unknown", "settle", *arguments)
    assert (result.exit_code, told in result.output) == (1, True), result.output


# --- reports ---


def test_sources_are_reported_with_what_they_cost(tmp_path: Path) -> None:
    leads, costs = tmp_path / "leads.csv", tmp_path / "costs.csv"
    leads.write_text("email,arrival.channel,arrival.placement\nann@example.com,Fair,Kazan\nbob@example.com,fair,\n")
    costs.write_text(f"day,channel,amount\n{datetime.now(UTC):%Y-%m-%d},fair,500\n")

    for _ in range(2):
        assert run("import", str(leads)).exit_code == 0
        assert "1 cost of 500.00 in all" in run("costs", "import", str(costs)).output

    [told] = json.loads(run("report", "sources", "--json").output)
    assert (told["channel"], told["leads"], told["known"], told["cost"], told["per_lead"]) == ("fair", 2, 2, 500, 250)
    assert told["reached"]["buy"] == told["customers"] == 0
    table = run("report", "sources", "--by", "placement").output
    assert re.search(r"fair +Kazan +1 +1", table)
    assert "nobody came" in run("report", "sources", "--until", "2020-01-01").output


def test_captures_are_reported(tmp_path: Path) -> None:
    assert "no form was seen" in run("report", "capture").output
    assert json.loads(run("report", "capture", "--json").output) == {
        "forms": [],
        "visitors": {"all": 0, "identified": 0},
    }


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("report", "sources", "--since", "now"), "--since 'now' is no day"),
        (("report", "capture", "--since", "2026-01-02", "--until", "2026-01-01"), "--since is after --until"),
        (("costs", "import", "no.csv"), "no.csv cannot be read"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(words: tuple[str, ...], fault: str) -> None:
    result = run(*words)

    assert (result.exit_code, fault in result.output) == (1, True)
