"""What `nurture lint` says of messages that would go out all the same."""

from pathlib import Path
from typing import Any

import pytest

from nurture import Campaign, State, confirm, send
from nurture.catalogue import Catalogue
from nurture.linting import Finding, Linter
from nurture.linting.markup import markup_findings
from nurture.linting.reach import links_of
from nurture.linting.senders import aligned, sender_findings
from nurture.linting.spelling import dictionary, misspelt, own_words
from nurture.settings import Settings
from nurture.version import frozen
from tests.unit.templates.folder import HEAD, Folder


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def found(folder: Folder, *campaigns: Campaign) -> list[Finding]:
    catalogue = Catalogue(campaigns={one.key: frozen(one) for one in campaigns})
    return list(Linter(settings(), folder.templates, catalogue).of_message("news/may"))


def test_a_sound_message_is_passed(folder: Folder) -> None:
    folder.message('<p>Hello {{ lead.first_name }}</p><img src="https://example.com/a.png" alt="A cup">')

    assert found(folder) == []


def test_a_variable_that_nobody_provides_is_found_with_its_line(folder: Folder) -> None:
    folder.message("<p>{{ lead.frist_name }}</p>")

    [one] = found(folder)
    assert (one.level, one.rule, one.place) == ("error", "variables", f"{folder.path}/news/may.en.j2:2")
    assert "did you mean lead.first_name?" in one.message


def test_a_variable_has_to_be_there_for_every_step_that_sends_the_message(folder: Folder) -> None:
    folder.message("<p>{{ links.confirm }}</p>")
    asked = Campaign("ask", [State("ask", [confirm("news", "news/may")])])
    sent = Campaign("may", [State("send", [send("news/may")])])

    assert found(folder, asked) == []
    assert [one.rule for one in found(folder, asked, sent)] == ["variables"]


def test_a_message_that_breaks_for_those_of_whom_nothing_is_known_is_found(folder: Folder) -> None:
    folder.message("<p>{{ lead.first_name.upper() }}</p>")

    [one] = found(folder)
    assert one.rule == "rendering"
    assert one.place == f"{folder.path}/news/may.en.j2:2"
    assert one.message.endswith("(for a reader of whom nothing is known)")


def test_a_message_without_a_way_to_unsubscribe_is_found(folder: Folder) -> None:
    folder.write(
        "layouts/message.j2", folder.templates.sources.text("layouts/message.j2").replace("links.unsub", "no.x")
    )
    folder.message("<p>Hello</p>")
    folder.write("layouts/bare.j2", "{% if part == 'subject' %}{% block subject %}{% endblock %}{% else %}"
                 "{% block html %}{% endblock %}{% endif %}")  # fmt: skip
    folder.message("<p>Hello</p>", head='{% extends "layouts/bare.j2" %}')
    contract = Campaign("may", [State("send", [send("news/may", legal_basis="contract")])])

    assert [one.message.partition(" shows")[0] for one in found(folder)] == ["the HTML part", "the text part"]
    assert found(folder, contract) == []


def test_a_message_that_gmail_cuts_off_is_found(folder: Folder) -> None:
    folder.message("<p>{% for n in range(110) %}{{ 'word ' * 200 }}{% endfor %}</p>")

    [one] = found(folder)
    assert (one.level, one.rule) == ("error", "size")
    assert "Gmail cuts it off after 102,000" in one.message


def test_a_picture_without_words_and_a_link_to_nowhere_are_found_on_their_lines(folder: Folder) -> None:
    folder.message('{# a comment\nof two lines #}<img src="{{ lead.custom.logo }}">\n<a href="#">here</a>')

    assert [(one.rule, one.place.rpartition(":")[2]) for one in found(folder)] == [("alt", "3"), ("links", "4")]


def test_what_is_wrong_with_a_part_that_many_use_is_told_once(folder: Folder) -> None:
    folder.write("parts/logo.j2", "<img src='https://example.com/logo.png'>")
    folder.message('{% include "parts/logo.j2" %}')
    folder.message('{% include "parts/logo.j2" %}', file="news/may.de.j2")

    assert [one.place for one in found(folder)] == [f"{folder.path}/parts/logo.j2:1"]


def test_a_picture_that_only_adorns_may_say_so() -> None:
    assert list(markup_findings('<img src="x" alt=""><mj-image src="x" alt="A cup" />')) == []


def test_a_message_that_is_not_in_the_house_s_language_is_warned_of(folder: Folder) -> None:
    folder.message("<p>Здравствуйте</p>", file="news/may.ru.j2")

    assert [(one.level, one.rule) for one in found(folder)] == [("warning", "language")]


def test_a_tag_of_no_stage_is_found(folder: Folder) -> None:
    head = '{% set stage = "intrest" %}\n{% set objection = [] %}\n{% set trust = ["product", "firm"] %}\n' + HEAD
    folder.message("<p>Hello</p>", head=head)

    assert [(one.place.rpartition(":")[2], one.message) for one in found(folder)] == [
        ("1", 'there is no stage "intrest": did you mean "interest"?'),
        ("2", "objection says nothing: give a word, or several in [ ]"),
        ("3", 'there is no trust "firm": there are company, product'),
    ]


# --- whom it is from --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "given", "told"),
    [
        ("Us <us@example.com>", {"base_url": "https://go.example.com"}, []),
        ("us", {"base_url": "https://go.example.com"}, ["is no single mailbox"]),
        ("us@gmail.com", {"base_url": "https://go.gmail.com"}, ["gmail.com lets nobody else send in its name"]),
        ("us@example.com", {"base_url": "http://go.example.com"}, ["one click unsubscribes over https only"]),
        ("us@example.com", {"base_url": "https://go.example.org"}, ["its links lead to go.example.org"]),
        ("us@example.com", {}, []),
        (
            "us@example.com",
            {"email_by": "mailgun", "email_api_key": "k", "email_domain": "mg.example.org"},
            ["the provider signs as mg.example.org"],
        ),
    ],
)
def test_a_sender_that_is_not_believed_is_found(sender: str, given: dict[str, Any], told: list[str]) -> None:
    found = [message for _, message in sender_findings(sender, settings(**given))]

    assert len(found) == len(told)
    assert all(message.startswith(start) for message, start in zip(found, told, strict=True))


def test_a_house_without_a_postal_address_is_warned_of_where_it_counts(folder: Folder) -> None:
    shop = {"sender": "us@example.com", "base_url": "https://go.example.com", "secrets": ["a" * 32]}
    there = settings(environment="production", **shop)

    [one] = Linter(there, folder.templates, Catalogue()).of_settings()

    assert (one.level, one.place) == ("warning", "NURTURE_POSTAL_ADDRESS")
    assert list(Linter(settings(**shop), folder.templates, Catalogue()).of_settings()) == []


def test_hosts_of_one_house_are_aligned() -> None:
    assert aligned("example.com", "go.example.com")
    assert aligned("mail.example.co.uk", "go.example.co.uk")
    assert not aligned("one.co.uk", "other.co.uk")


# --- words and links --------------------------------------------------------------------------------------------------


def test_a_word_that_no_dictionary_knows_is_found_with_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "spelling.txt").write_text("nurtured\n")
    known = dictionary("en-GB")
    assert known is not None

    source = "{# teh #}<style>.btn {}</style>\n<p>Hello Xavvier, the new\ncatalouge is nurtured by {{ lead.x }}</p>"

    assert list(misspelt(source, known, own_words(tmp_path))) == [(3, "catalouge", "catalogue")]


def test_a_language_without_a_dictionary_is_said_to_have_none() -> None:
    assert dictionary("tlh") is None


def test_the_links_that_are_written_out_are_found_on_their_lines() -> None:
    source = '{# https://example.com/no #}\n<a href="{{ link("https://example.com/a?b=1") }}">\nhttps://example.com/b.'

    assert list(links_of(source)) == [(2, "https://example.com/a?b=1"), (3, "https://example.com/b")]
