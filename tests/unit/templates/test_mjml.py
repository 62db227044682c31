"""Messages written in MJML."""

import shutil
from pathlib import Path

import pytest

from nurture.templates import TemplateFault
from nurture.templates.mjml import html_of
from tests.unit.templates.folder import Folder

LAYOUTS = Path(__file__).parents[3] / "templates" / "layouts"
HEAD = '{% extends "layouts/message.mjml.j2" %}'
HELLO = "<mj-section><mj-column>\n<mj-text>Hello {{ lead.first_name }}</mj-text></mj-column></mj-section>"
BUTTON = '<mj-section><mj-column><mj-button href="{{ link(lead.website) }}">Go</mj-button></mj-column></mj-section>'


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    shutil.copytree(LAYOUTS, tmp_path / "layouts")
    made = Folder(tmp_path)
    shutil.copytree(LAYOUTS, tmp_path / "layouts", dirs_exist_ok=True)
    return made


def rendered(folder: Folder, **lead: object) -> tuple[str, str]:
    given = {
        "lead": {"first_name": "Bob", **lead},
        "links": {"unsubscribe": "https://example.com/u/1"},
        "sender": {"postal_address": "1 High Street"},
        "link": lambda url: url,
    }
    made = folder.templates.render("news/may", "en", given)
    return made.html, made.text


def test_mjml_becomes_html_and_a_text_part(folder: Folder) -> None:
    folder.message(HELLO, head=HEAD, file="news/may.en.mjml.j2")
    html, text = rendered(folder)

    assert "<mj" not in html
    assert html.startswith("<!DOCTYPE html>")
    assert '<html lang="en"' in html
    assert "@media only screen and (min-width:480px)" in html
    assert text == (
        "Hello Bob\n\nYou receive this message because you left us your address.\nUnsubscribe (https://example.com/u/1)\n"
        "1 High Street"
    )


def test_no_font_is_fetched_when_a_mail_is_opened(folder: Folder) -> None:
    folder.message(HELLO, head=HEAD, file="news/may.en.mjml.j2")

    assert "fonts.googleapis" not in rendered(folder)[0]


def test_what_a_lead_calls_himself_is_neither_html_nor_mjml(folder: Folder) -> None:
    folder.message(HELLO, head=HEAD, file="news/may.en.mjml.j2")
    html, text = rendered(folder, first_name='</mj-text><mj-raw><script>alert("1")</script>')

    assert "<script" not in html
    assert 'Hello </mj-text><mj-raw><script>alert("1")</script>' in text


def test_a_link_in_mjml_cannot_run_or_break_out(folder: Folder) -> None:
    folder.message(BUTTON, head=HEAD, file="news/may.en.mjml.j2")

    assert '"&gt;' not in rendered(folder, website='https://example.com/"><b>')[0].replace("&#34;", "")
    with pytest.raises(TemplateFault, match="neither http"):
        rendered(folder, website="javascript:alert(1)")


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_a_file_of_mjml_is_one_of_its_language(folder: Folder, language: str) -> None:
    folder.message(HELLO, head=HEAD, file=f"news/may.{language}.mjml.j2")

    assert folder.templates.languages("news/may") == [language]
    assert folder.templates.keys() == ["news/may"]


def test_a_tag_that_mjml_has_not_is_a_fault_with_its_line(folder: Folder) -> None:
    folder.message("<mj-section>\n<mj-collumn></mj-collumn></mj-section>", head=HEAD, file="news/may.en.mjml.j2")

    faults = folder.templates.faults("news/may", {"links.unsubscribe", "sender.postal_address"})

    assert faults == [
        f"{folder.path}/news/may.en.mjml.j2:3: MJML has no <mj-collumn>; see the list of MJML's components"
    ]
    with pytest.raises(TemplateFault, match=r"news/may.en.mjml.j2: MJML has no <mj-collumn>"):
        rendered(folder)


def test_mjml_reads_no_file_of_the_machine() -> None:
    with pytest.raises(TemplateFault, match=r"write \{% include %\} instead"):
        html_of('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>', "a.en.mjml.j2")


def test_mjml_that_is_not_closed_is_refused_without_a_word_of_its_content() -> None:
    with pytest.raises(TemplateFault) as fault:
        html_of("<mjml><mj-body><mj-section>Zebedee", "a.en.mjml.j2")

    assert str(fault.value) == "a.en.mjml.j2: its MJML cannot be read: see that every tag is closed"
    assert fault.value.__cause__ is None
