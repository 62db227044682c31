"""A mailing, and what `nurture check` says of one."""

from datetime import timedelta
from pathlib import Path

import pytest

from nurture import Audience, Mailing, at_most, days
from nurture.catalogue import Catalogue
from nurture.check import MailingCheck
from nurture.declared_check import faults_of_declared
from nurture.loader import read
from nurture.templates import Templates

TEMPLATES = Templates([Path(__file__).parents[1] / "templates"])
READERS = Catalogue(audiences={"readers": Audience(key="readers")})


def faults(mailing: Mailing) -> list[str]:
    return [str(fault) for fault in MailingCheck(mailing, READERS, "campaigns/news.py", TEMPLATES).faults()]


def test_a_mailing_of_a_known_message_to_a_known_audience_has_no_faults() -> None:
    assert faults(Mailing(key="march", template="test/one", audience="readers")) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"key": "In March"}, 'key: "In March" cannot be used'),
        ({"template": "test/oen"}, 'template: there is no template "test/oen": did you mean "test/one"?'),
        ({"audience": "reader"}, 'audience: there is no audience "reader": did you mean "readers"?'),
        ({"purpose": "transactional"}, "legal_basis: a transactional campaign states one"),
        ({"cap": at_most(0, within=days(1))}, "cap: allows nothing"),
        ({"expires_after": timedelta(0)}, "expires_after: must be longer than zero"),
        ({"spread": days(3)}, "spread: must be shorter than expires_after: the last would not get it"),
        ({"spread": -days(1)}, "spread: must not be less than zero"),
    ],
)
def test_what_is_wrong_with_a_mailing_is_told_with_its_place(changes: dict[str, object], fault: str) -> None:
    sound = {"key": "march", "template": "test/one", "audience": "readers"}
    mailing = Mailing.model_validate(sound | changes)
    [told] = faults(mailing)
    assert told.startswith(f'campaigns/news.py: mailing "{mailing.key}", {fault}')


def test_an_audience_whose_key_cannot_be_said_at_a_terminal_is_refused() -> None:
    [fault] = faults_of_declared(Audience(key="Some of them"), Catalogue(), "campaigns/whom.py")
    assert str(fault).startswith('campaigns/whom.py: audience "Some of them": this key cannot be used')


def test_faults_of_audiences_and_mailings_keep_a_directory_from_being_used(tmp_path: Path) -> None:
    (tmp_path / "news.py").write_text(
        'from nurture import Audience, Mailing, lead\n'
        'audience = Audience(key="all", who=lead.score("fit") >= 1)\n'
        'mailing = Mailing(key="march", template="test/one", audience="al")\n'
    )  # fmt: skip
    assert [fault.place for fault in read(tmp_path).errors] == [
        f'{tmp_path.name}/news.py: audience "all"', f'{tmp_path.name}/news.py: mailing "march", audience',
    ]  # fmt: skip
