"""The loader: what a team wrote, read by path."""

import os
import sys
from pathlib import Path

import pytest

from nurture.errors import CampaignFaults
from nurture.loader import load, read

ROAD = 'from nurture import *\nroad = Campaign("road", [State("one", [send("hello"), {more}])], enters=[on("asked")])\n'
REST = """\
from nurture import *

fit = Score(key="fit", rules=(gives(5, on("visit")),))
ready = Definition(key="ready", title="Ready", ready=lead.score("fit") >= 5, agreed_by=("marketing: a", "sales: b"))
fair = Audience(key="fair", title="The fair")
shop = Hook(key="shop", url="https://shop.example/hook")
forms = Source(key="forms", events={"sent": "form_sent"}, lead={"email": "mail"})
also_fit = fit
more = [Audience(key="vip", title="VIP"), Audience(key="press", title="Press")]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "road.py").write_text(ROAD.format(more="done"))
    (tmp_path / "rest.py").write_text(REST)
    return tmp_path


def test_everything_declared_is_found_by_kind_and_key(folder: Path) -> None:
    found = load(folder)

    assert [set(one) for one in (found.campaigns, found.scores, found.definitions)] == [{"road"}, {"fit"}, {"ready"}]
    assert [set(one) for one in (found.audiences, found.hooks, found.sources)] == [
        {"fair", "vip", "press"}, {"shop"}, {"forms"}
    ]  # fmt: skip


def test_files_that_are_private_or_tests_or_lie_deeper_are_left_out(folder: Path) -> None:
    (folder / "deeper").mkdir()
    for file in ("_parts.py", "test_road.py", "deeper/other.py", "notes.txt"):
        (folder / file).write_text("raise Exception")

    assert read(folder).faults == ()


def test_an_edit_is_read_the_next_time(folder: Path) -> None:
    before = load(folder).campaigns["road"].hash
    (folder / "road.py").write_text(ROAD.format(more='tag("vip")'))

    assert load(folder).campaigns["road"].hash != before


def test_an_edit_within_the_same_second_is_read_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    hashes = set()
    for tag in ("vip", "vop"):
        (folder / "road.py").write_text(ROAD.format(more=f'tag("{tag}")'))
        os.utime(folder / "road.py", (1, 1))
        hashes.add(load(folder).campaigns["road"].hash)

    assert len(hashes) == 2


def test_a_file_that_cannot_be_read_hides_no_other(folder: Path) -> None:
    (folder / "broken.py").write_text("x = (")
    loaded = read(folder)

    assert [len(loaded.errors), *loaded.catalogue.campaigns] == [1, "road"]


def test_with_any_error_nothing_is_loaded_and_all_of_them_are_told(folder: Path) -> None:
    (folder / "broken.py").write_text("x = (")
    (folder / "road.py").write_text(ROAD.format(more='go("two")'))

    with pytest.raises(CampaignFaults) as told:
        load(folder)
    assert [fault.partition(": ")[0] for fault in told.value.faults] == [
        f"{folder.name}/broken.py:1",
        f"{folder.name}/road.py",
    ]


def test_a_warning_keeps_nothing_from_being_loaded(folder: Path) -> None:
    (folder / "road.py").write_text(ROAD.format(more='branch(when(opened("hello"), to=done))'))

    assert [fault.level for fault in read(folder).faults] == ["warning"]
    assert "road" in load(folder).campaigns


def test_a_directory_that_is_not_there_is_a_fault_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CampaignFaults, match="none: there is no such directory: make it, or set NURTURE_CAMPAIGNS"):
        load(tmp_path / "none")


def test_a_team_s_file_never_passes_for_a_module_of_ours(folder: Path) -> None:
    (folder / "json.py").write_text("from nurture import *\nname = __name__\n")
    before = dict(sys.modules)
    load(folder)

    assert {name for name in sys.modules if sys.modules[name] is not before.get(name) and "team" in name} == set()
    assert sys.modules["json"] is before["json"]


def test_without_templates_what_is_sent_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    assert read(folder).faults == ()
    assert [fault.message for fault in read(folder, tmp_path / "templates").faults] == [
        'there is no template "hello": there is none'
    ]
