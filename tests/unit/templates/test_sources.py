"""What a message is made of: when it is another one, and what its head says of it."""

import os
from pathlib import Path

import pytest

from nurture.templates import Templates
from tests.unit.templates.folder import HEAD, Folder

LONG_AGO = 1_700_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.write("parts/offer.j2", "<p>Half price</p>")
    made.message('{% include "parts/offer.j2" %}')
    made.message('{% include "parts/offer.j2" %}', file="news/may.ru.j2")
    for file in tmp_path.rglob("*.j2"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return made


@pytest.mark.parametrize("file", ["news/may.en.j2", "news/may.ru.j2", "parts/offer.j2", "layouts/message.j2"])
def test_a_message_is_another_when_anything_in_it_changes(folder: Folder, file: str) -> None:
    before = folder.templates.fingerprint("news/may")
    path = folder.path / file
    path.write_text(path.read_text("utf-8").replace("Half", "Full") + " ", "utf-8")

    assert folder.templates.fingerprint("news/may") != before


def test_a_language_more_makes_it_another(folder: Folder) -> None:
    before = folder.templates.fingerprint("news/may")
    folder.message("<p>Mai</p>", file="news/may.de.j2")

    assert folder.templates.fingerprint("news/may") != before


def test_what_it_has_nothing_to_do_with_leaves_it_as_it_is(folder: Folder) -> None:
    before = folder.templates.fingerprint("news/may")
    folder.message("<p>June</p>", file="news/june.en.j2")
    folder.write("parts/other.j2", "x")

    assert folder.templates.fingerprint("news/may") == before


def test_it_is_the_same_on_every_machine(folder: Folder, tmp_path: Path) -> None:
    elsewhere = Folder(tmp_path / "elsewhere")
    for file in ("layouts/message.j2", "parts/offer.j2", "news/may.en.j2", "news/may.ru.j2"):
        elsewhere.write(file, (folder.path / file).read_text("utf-8"))

    assert elsewhere.templates.fingerprint("news/may") == folder.templates.fingerprint("news/may")


def test_it_is_read_again_when_a_directory_before_it_has_it_too(folder: Folder, tmp_path: Path) -> None:
    templates = Templates([tmp_path / "own", tmp_path])
    before = templates.fingerprint("news/may")
    folder.write("own/parts/offer.j2", "<p>Free</p>")

    assert templates.fingerprint("news/may") != before


def test_what_is_included_by_a_name_of_the_leads_is_a_fault(folder: Folder) -> None:
    folder.message("{% include lead.first_name %}")

    assert f"{folder.path}/news/may.en.j2:2: include must name a file, in quotes" in folder.templates.faults(
        "news/may", {"lead.first_name", "links.unsubscribe"}
    )


def test_the_head_of_a_message_says_what_it_is_for(folder: Folder) -> None:
    tags = '{% set stage = "interest" %}{% set objection = ["price", "time"] %}{% set trust = "product" %}'
    folder.message("<p>May</p>", head=HEAD + tags)
    folder.message("<p>Май</p>", head=HEAD + tags.replace("product", "company"), file="news/may.ru.j2")

    assert folder.templates.tags("news/may") == (("interest",), ("price", "time"), ("product", "company"))


def test_a_message_with_tags_reads_as_without(folder: Folder) -> None:
    given = {"links": {"unsubscribe": None}}
    folder.message("<p>May</p>")
    plain = folder.templates.render("news/may", "en", given)
    folder.message("<p>May</p>", head='{% set stage = "interest" %}\n' + HEAD)

    assert folder.templates.render("news/may", "en", given) == plain
    assert folder.templates.faults("news/may", {"links.unsubscribe"}) == []
