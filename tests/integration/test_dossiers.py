"""The dossier of a hand-off: kept with it as data, and readable as a mail in both languages."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nurture.store import Store
from tests.integration.desk import SALES, Desk

REAL = Path(__file__).parents[2] / "templates"


@pytest.fixture
async def desk(store: Store, now: datetime) -> Desk:
    return await Desk(store, now, SALES.model_copy(update={"people": SALES.people[::-1]}), templates=REAL).opens()


async def studious(desk: Desk) -> None:
    """A lead that read, asked, and is then handed over."""
    known: dict[str, Any] = {
        "first_name": "Lea", "company": {"name": "Example Ltd", "turnover": 2_000_000}, "bant": {"budget": "40,000"},
    }  # fmt: skip
    await desk.life.lead("lea@example.com", **known)
    for page, seconds in (("/prices", 60), ("/prices", 90), ("/about", 5)):
        await desk.life.happens("visit", to="lea@example.com", page=page, seconds=seconds)
    await desk.life.happens("visit", to="lea@example.com", page="/robots", machine=True)
    await desk.life.happens("question_asked", to="lea@example.com", question="<b>Do</b> you deliver?")
    await desk.life.happens("asked", to="lea@example.com")
    await desk.life.passes(minutes=1)


async def test_it_tells_who_why_now_what_was_studied_and_asked(desk: Desk) -> None:
    await studious(desk)
    [mail] = desk.life.postbox.mails
    lead = await desk.life.lead("lea@example.com")
    dossier = (await desk.hand_off(lead)).dossier

    assert [(one["page"], one["times"], one["seconds"]) for one in dossier["pages"]] == [
        ("/prices", 2, 150), ("/about", 1, 5),
    ]  # fmt: skip
    assert [one["words"] for one in dossier["asked"]] == ["<b>Do</b> you deliver?"]
    assert dossier["bant"] == {"budget": "40,000", "authority": None, "need": None, "timing": None}
    assert (dossier["company"]["name"], dossier["who"]["first_name"]) == ("Example Ltd", "Lea")
    assert {one["words"]: one["holds"] for one in dossier["why"]["facts"]}["company turnover is at least 1,000,000"]
    assert mail.language == "ru"


async def test_in_each_language_the_mail_reads_the_same_as_html_and_as_text(desk: Desk) -> None:
    await studious(desk)
    await desk.life.passes(hours=2, minutes=1)
    [bob] = [mail for mail in desk.mails("bob@sales.example") if "Пора" in mail.subject]
    [ann] = desk.mails("ann@sales.example")

    for mail, words in ((ann, ("Pages studied", "not known")), (bob, ("Что внимательно изучал", "неизвестно"))):
        for told in ("Lea", "Example Ltd", "/prices", "2,000,000" if mail is ann else "2", "40,000", *words):
            assert told in mail.html, told
            assert told in mail.text, told
        assert "&lt;b&gt;Do&lt;/b&gt; you deliver?" in mail.html
        assert "<b>Do</b> you deliver?" in mail.text
        assert "/h/" in mail.text
