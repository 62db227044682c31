"""Documents issued by a campaign, on each database in turn: attached, linked, numbered, and the same for every attempt."""

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from activities.errands import TryAgain
from nurture import Campaign, Document, State, days, lead, line, on, send, wait
from nurture.catalogue import Catalogue
from nurture.issuing import Issuer
from nurture.links import Links
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.document_tables import DocumentRow
from nurture.store.models import LeadRow
from nurture.store.order_tables import OrderLineRow, OrderRow
from nurture.templates import Templates
from tests.integration.commands import run
from tests.integration.walking import AFTER_THE_LEASE, TEMPLATES, Killed, Walker, Way, kill

LAYOUTS = Path(__file__).parents[2] / "templates"
INVOICE = Document(
    key="invoice",
    title="Invoice",
    currency="EUR",
    lines=(line("Seats", price=40, quantity=lead.custom("seats"), tax=19),),
    valid=days(10),
)
PAPER = '{% extends "layouts/document.j2" %}{% block subject %}{{ document.title }} {{ document.number }}{% endblock %}'
SENDING = Campaign(
    "deal",
    enters=[on("asked")],
    states=[State("one", [send("test/paper", document="invoice", attach=True), wait(days(3))])],
)


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    shutil.copytree(TEMPLATES, folder)
    for part in ("layouts/document.j2", "parts/lines.j2"):
        (folder / part).parent.mkdir(exist_ok=True)
        shutil.copy(LAYOUTS / part, folder / part)
    (folder / "documents").mkdir()
    lines = "{% block html %}<p>For {{ lead.first_name }}</p>{% include 'parts/lines.j2' %}{% endblock %}"
    (folder / "documents/invoice.en.j2").write_text(PAPER + lines, "utf-8")
    message = (
        '{% extends "layouts/message.j2" %}{% block subject %}Your {{ document.title }}{% endblock %}'
        '{% block html %}<a href="{{ links.document }}">{{ document.total | money(document.currency) }}</a>{% endblock %}'
    )
    (folder / "test/paper.en.j2").write_text(message, "utf-8")
    return folder


@pytest.fixture
def papers(way: Way, templates: Path) -> Way:
    """The way, with a document to issue."""
    way.settings = way.settings.model_copy(update={"templates": templates})
    way.catalogue = Catalogue(documents={"invoice": INVOICE})
    return way


async def documents(way: Way) -> list[DocumentRow]:
    async with way.store.read() as session:
        return list((await session.exec(select(DocumentRow).order_by(DocumentRow.number))).all())


async def asks(way: Way, seats: int | None = 3, name: str = "Ann <b>") -> Walker:
    return await way.begin(SENDING, first_name=name, custom={"seats": seats})


async def test_a_message_carries_its_document_and_the_link_to_it(papers: Way) -> None:
    assert await (await asks(papers)).walk() == ["did", "parked"]

    [mail], [row] = papers.post.taken, await documents(papers)
    [file] = mail.attachments
    assert (row.number, row.total, row.title) == ("2026-0001", "142.80", "Invoice 2026-0001")
    assert (mail.subject, file.name, file.kind) == (
        "Your Invoice 2026-0001",
        "invoice-2026-0001.pdf",
        "application/pdf",
    )
    assert file.content.startswith(b"%PDF-")
    assert "For Ann &lt;b&gt;" in row.html
    assert "€142.80 (" in mail.text
    token = mail.text.partition("/d/")[2].partition(")")[0]
    found = Links(papers.settings.base_url, papers.settings.secrets).documented(token)
    assert found == (row.id, (row.at + timedelta(days=10)).replace(microsecond=0))


@pytest.mark.parametrize("commit", [2, 3, 4])
async def test_an_attempt_that_was_cut_off_uses_up_no_second_number(papers: Way, commit: int) -> None:
    walker = await asks(papers)
    papers.store.deeds[f"after commit {commit}"] = kill
    with pytest.raises(Killed):
        await walker.walk()
    await walker.until_it_rests()

    assert [row.number for row in await documents(papers)] == ["2026-0001"]
    assert {len(mail.attachments) for mail in papers.post.taken} <= {1}


async def test_numbers_follow_each_other_without_a_gap_however_many_are_issued_at_once(papers: Way) -> None:
    walkers = [await asks(papers, seats) for seats in range(1, 5)]
    papers.store.deeds.clear()
    await asyncio.gather(*(walker.walk() for walker in walkers))

    assert [row.number for row in await documents(papers)] == [f"2026-000{n}" for n in range(1, 5)]


async def test_a_document_that_lacks_a_figure_waits_and_goes_once_it_is_known(papers: Way) -> None:
    walker = await asks(papers, seats=None)
    with pytest.raises(TryAgain, match=r"lead\.custom\.seats holds no number"):
        await walker.walk()
    assert [(await walker.message()).status, await documents(papers)] == ["deferred", []]

    async with papers.store.write() as session:
        row = await session.get_one(LeadRow, walker.order.lead_id)
        row.profile = {**row.profile, "custom": {"seats": 1}}
    assert await walker.walk(AFTER_THE_LEASE) == ["did", "parked"]
    assert [row.total for row in await documents(papers)] == ["47.60"]


async def test_what_was_issued_stays_as_it_was_whatever_changes(papers: Way, templates: Path) -> None:
    walker = await asks(papers)
    papers.store.deeds["after commit 2"] = kill
    with pytest.raises(Killed):
        await walker.walk()
    before = [row.html for row in await documents(papers)]
    (templates / "documents/invoice.en.j2").write_text(PAPER + "{% block html %}changed{% endblock %}", "utf-8")
    await walker.until_it_rests()

    assert [row.html for row in await documents(papers)] == before != []


async def test_a_document_of_an_order_has_the_lines_of_the_latest_one_that_stands(papers: Way) -> None:
    walker, at = await asks(papers), papers.now
    of_order = INVOICE.model_copy(update={"lines": (), "of_order": True, "tax_included": True, "tax": 19})
    issuer = Issuer(papers.settings, Templates([papers.settings.templates]))
    orders = [
        ("A-1", "paid", "50.00", at),
        ("A-2", "placed", "119.00", at + days(1)),
        ("A-3", "cancelled", "1", at + days(2)),
    ]
    async with papers.store.write() as session:
        for number, status, amount, when in orders:
            order = OrderRow(lead_id=walker.order.lead_id, source="shop", number=number, currency="EUR", amount=amount,
                           status=status, created_at=when, updated_at=when)  # fmt: skip
            session.add(order)
            await session.flush()
            session.add(OrderLineRow(order_id=order.id, n=1, product=f"kit {number}", quantity=2, amount=amount))
    async with papers.store.write() as session:
        lead_row = await session.get_one(LeadRow, walker.order.lead_id)
        row = await issuer.issued(session, of_order, lead_row, "once", at)

    assert "kit A-2" in row.html
    assert "Tax 19%, included" in row.html
    assert row.total == "119.00"


# --- the link ---


async def issued(store: Store, now: datetime) -> str:
    async with store.write() as session:
        session.add(LeadRow(id="a" * 32, profile={}, created_at=now, updated_at=now))
        await session.flush()
        html = "<script>x</script><h1>Счёт</h1>"
        session.add(DocumentRow(id="d" * 32, kind="invoice", number="2026/1", occasion="1", lead_id="a" * 32,
                                title="Invoice", language="ru", currency="EUR", total="1", html=html, at=now))  # fmt: skip
    return "d" * 32


def path(document_id: str, until: datetime) -> str:
    settings = Settings(_env_file=None)
    return "/d/" + Links("http://nurture", settings.secrets).document(document_id, until).rpartition("/")[2]


async def test_a_link_shows_the_document_as_pdf_or_as_a_page_that_runs_nothing(
    client: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    link = path(await issued(store, now), datetime.now(now.tzinfo) + days(1))
    pdf, page = await client.get(link), await client.get(f"{link}?as=html")

    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert pdf.headers["content-disposition"] == 'inline; filename="invoice-2026-1.pdf"'
    assert "Счёт" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["content-security-policy"].endswith("sandbox")


async def test_a_link_that_has_expired_says_so_in_the_language_of_the_document(
    client: httpx.AsyncClient, store: Store, now: datetime
) -> None:
    link = path(await issued(store, now), datetime.now(now.tzinfo) - days(1))
    answer = await client.get(link)

    assert answer.status_code == 410
    assert "Ссылка больше не действует" in answer.text
    assert "Счёт" not in answer.text


async def test_a_forged_link_and_one_to_a_document_that_is_gone_are_not_found(
    client: httpx.AsyncClient, now: datetime
) -> None:
    link = path("e" * 32, datetime.now(now.tzinfo) + days(1))

    assert (await client.get(link)).status_code == 404
    assert (await client.get(link[:-2] + "xx")).status_code == 404


# --- at the terminal ---


@pytest.mark.usefixtures("repository")
def test_a_document_is_issued_listed_shown_and_linked_at_the_terminal() -> None:
    Path("campaigns/papers.py").write_text(
        'from nurture import Document, line\ninvoice = Document(key="invoice", title="Invoice", currency="EUR", '
        'lines=[line("Setup", 1200, tax=19)])\n', "utf-8",
    )  # fmt: skip
    Path("templates/documents").mkdir()
    paper = PAPER + "{% block html %}{% include 'parts/lines.j2' %}{% endblock %}"
    Path("templates/documents/invoice.en.j2").write_text(paper, "utf-8")
    Path("leads.csv").write_text("email\nann@example.com\n", "utf-8")
    run("import", "leads.csv", "--consent", "news", "--consent-source", "test")
    said = run("documents", "issue", "invoice", "--lead", "ann@example.com", "--out", "one.pdf").output
    listed = run("documents", "list", "--lead", "ann@example.com").output
    shown, linked = (
        run("documents", "show", listed.split()[-1], "--out", "one.html"),
        run("documents", "link", listed.split()[-1]),
    )

    assert ": Invoice 2" in said
    assert "1428.00 EUR" in said
    assert "1428.00 EUR" in listed
    assert Path("one.pdf").read_bytes().startswith(b"%PDF-")
    assert "€1,428.00" in Path("one.html").read_text("utf-8")
    assert "one.html" in shown.output
    assert linked.output.startswith("http://127.0.0.1:8000/d/")
    assert 'did you mean "invoice"?' in run("documents", "issue", "invoce", "--lead", "ann@example.com").output
    assert "see nurture documents list" in run("documents", "show", "nothing").output
