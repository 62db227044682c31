from importlib import import_module
from json import loads
from pathlib import Path
from socket import socket

import pytest
import typer
from typer.testing import CliRunner, Result

from nurture.cli.context import out
from nurture.cli.main import COMMANDS, app, command
from nurture.cli.processes import application_root
from nurture.cli.repository import STARTER, starter_files
from nurture.errors import NotFound

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The team's new repository, made by `nurture init`, is where every command is given."""
    monkeypatch.setattr(out, "width", 140)
    run("init", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


# --- the list of commands ---


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_in_the_list_what_it_says_itself(name: str) -> None:
    listed = COMMANDS[name]
    found = getattr(import_module(listed.module), listed.name)
    said = found.info.help if isinstance(found, typer.Typer) else found.__doc__
    assert (said or "").startswith(listed.help.removesuffix("."))
    assert command(name).get_help(command(name).make_context(name, ["--help"], resilient_parsing=True))


def test_a_command_mistyped_is_put_right() -> None:
    assert "Did you mean 'check'?" in run("chekc").output


# --- init ---


def test_a_new_repository_has_nothing_wrong() -> None:
    assert run("check").output == "1 campaign, 6 templates: no faults\n"


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    again = run("init", str(tmp_path))
    assert (again.exit_code, "is there already" in again.output) == (1, True)


def test_a_new_repository_has_the_layout_and_the_notices_of_the_examples() -> None:
    shared = [source for _, source in starter_files() if {"layouts", "team"} & set(source.parts)]
    places = [ROOT / source.relative_to(STARTER) for source in shared]
    assert [source.read_text() for source in shared] == [place.read_text() for place in places]


def test_a_preset_that_is_none_is_refused_with_those_there_are(tmp_path: Path) -> None:
    assert "there are long and retail" in run("init", str(tmp_path / "new"), "--preset", "short").output


# --- check ---


def test_every_fault_is_told_with_its_place() -> None:
    Path("campaigns/broken.py").write_text(
        'from nurture import Campaign, State, go, on, send\n'
        'campaign = Campaign("broken", [State("one", [send("welcome/helo"), go("tow")])], enters=[on("x")])\n'
    )  # fmt: skip
    Path("campaigns/worse.py").write_text("import nurtur\n")
    told = run("check")
    assert told.exit_code == 1
    assert 'error: campaigns/broken.py: state "one", step 1, send(...)' in told.output
    assert 'campaigns/broken.py: state "one", step 2, go(...)' in told.output
    assert "error: campaigns/worse.py:1: " in told.output
    assert told.output.splitlines()[-1] == "3 errors"


def test_check_of_one_file_tells_its_faults_only() -> None:
    Path("campaigns/worse.py").write_text("import nurtur\n")
    assert run("check", "campaigns/welcome.py").exit_code == 0
    assert run("check", "campaigns/worse.py").exit_code == 1


def test_a_path_that_is_not_there_is_a_fault() -> None:
    assert "there is no such file" in run("check", "campaigns/none.py").output
    assert "there is no such directory" in run("check", "none").output


def test_a_broken_template_is_found_even_if_no_campaign_sends_it() -> None:
    Path("templates/welcome/later.en.j2").write_text(
        "{% extends 'layouts/message.j2' %}{% block subject %}{{ lead.nam }}"
    )
    told = run("check")
    assert (told.exit_code, "templates/welcome/later.en.j2:1: " in told.output) == (1, True)


def test_a_hook_that_is_called_unsigned_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("campaigns/calls.py").write_text(
        'from nurture import Campaign, Hook, State, call, days, on, wait\n'
        'hook = Hook(key="crm", url="https://crm.example/in")\n'
        'campaign = Campaign("calls", [State("one", [call("crm"), wait(days(1))])], enters=[on("x")])\n'
    )  # fmt: skip
    monkeypatch.setenv("NURTURE_SALES_WEBHOOK", "https://sales.example/in")
    told = run("check")
    assert told.exit_code == 0
    assert "warning: NURTURE_HOOK_SECRETS__CRM: crm is called unsigned: set the secret that it checks" in told.output
    assert "warning: NURTURE_HOOK_SECRETS__SALES: sales is called unsigned" in told.output

    for name in ("CRM", "SALES"):
        monkeypatch.setenv(f"NURTURE_HOOK_SECRETS__{name}", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    assert run("check").output == "2 campaigns, 6 templates: no faults\n"


def test_a_channel_that_nobody_takes_messages_by_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("campaigns/chats.py").write_text(
        'from nurture import Campaign, Messenger, State, days, on, prefer, send, wait\n'
        'own = Messenger(key="whatsapp", url="https://bridge.example/in")\n'
        'by = prefer("telegram", "sms", "whatsapp")\n'
        'campaign = Campaign("chats", [State("one", [send("welcome/hello", channel=by), wait(days(1))])], enters=[on("x")])\n'
    )  # fmt: skip
    told = run("check").output
    assert "warning: NURTURE_SMS_BY: messages go by sms, and nobody takes them: name a provider" in told
    assert "warning: NURTURE_TELEGRAM_TOKEN: messages go by telegram, and there is no bot: give its token" in told
    assert "warning: NURTURE_HOOK_SECRETS__WHATSAPP: whatsapp is called unsigned" in told

    for name, value in {"SMS_BY": "smsc", "SMS_ACCOUNT": "me", "SMS_KEY": "x", "TELEGRAM_TOKEN": "1:x",
                        "HOOK_SECRETS__WHATSAPP": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}.items():  # fmt: skip
        monkeypatch.setenv(f"NURTURE_{name}", value)
    assert run("check").output == "2 campaigns, 6 templates: no faults\n"


@pytest.mark.parametrize(
    ("key", "more", "fault"),
    [
        ("sms", "", 'messenger "sms": nurture has a channel of that name itself: choose another key'),
        ("Push!", "", 'messenger "Push!": this key cannot be used: write small letters, digits, - and _'),
        ("push", ', address="city"', 'messenger "push": "city" holds no address: write "phone", or "messengers.push"'),
    ],
)
def test_a_messenger_that_cannot_be_is_a_fault(key: str, more: str, fault: str) -> None:
    Path("campaigns/own.py").write_text(
        f'from nurture import Messenger\nown = Messenger(key="{key}", url="https://bridge.example/in"{more})\n'
    )
    assert f"error: campaigns/own.py: {fault}" in run("check").output


# --- diagram ---


def test_a_diagram_is_mermaid_text() -> None:
    assert run("diagram", "welcome").output.startswith("flowchart TD\n")


def test_a_diagram_is_an_svg_picture() -> None:
    assert run("diagram", "welcome", "--svg", "welcome.svg").output == "written to welcome.svg\n"
    assert "</svg>" in Path("welcome.svg").read_text()


def test_a_campaign_mistyped_is_put_right() -> None:
    told = run("diagram", "welcom")
    assert (told.exit_code, told.output) == (1, "nurture: there is no campaign 'welcom': did you mean \"welcome\"?\n")


# --- simulate ---


def test_a_simulation_tells_the_story() -> None:
    told = run("simulate", "welcome", "--at", "1d=clicked:welcome/hello", "--start", "2026-01-07T12:00").output
    assert "day 0   Wed 12:00  hello       sent   welcome/hello" in told
    assert "day 1   Thu 12:00              heard  a click in welcome/hello → interested" in told
    assert told.splitlines()[-2:] == ["done", "sent: welcome/hello"]


def test_a_simulated_lead_is_as_it_is_said_to_be() -> None:
    told = run("simulate", "welcome", "--lead", "consents.news=no").output
    assert "withheld: welcome/hello (unsubscribed from news)" in told


def test_events_carry_properties() -> None:
    assert "the goal" in run("simulate", "welcome", "--at", "1d=order_paid:amount=100,plan=pro").output


VISITS = """
from nurture import Campaign, State, days, done, leave, on, wait_for

cancelled = wait_for(on("cancelled", key="id"), up_to=days(1), otherwise=leave("took place"))
campaign = Campaign("visits", [State("first", [cancelled, done])], enters=[on("booked", key="id")])
"""


@pytest.mark.parametrize(("key", "ending"), [("7", "done"), ("8", "left: took place")])
def test_a_simulated_journey_may_be_for_one_of_several_things(key: str, ending: str) -> None:
    Path("campaigns/visits.py").write_text(VISITS, encoding="utf-8")
    told = run("simulate", "visits", "--key", key, "--at", "1h=cancelled:id=7").output
    assert told.splitlines()[-2] == ending


def test_many_leads_are_counted() -> None:
    told = run("simulate", "welcome", "--leads", "50").output
    assert "left: did not look" in told
    assert "100.0 %" in told
    assert told.splitlines()[-1] == "50 leads, 100 messages"


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("--at", "order_paid", "cannot be read"),
        ("--at", "3x=order_paid", "a number and a unit, such as 90s, 10m, 3d"),
        ("--lead", "country", "write --lead name=value"),
        ("--start", "monday", "write 2026-01-05T10:00"),
    ],
)
def test_an_option_that_cannot_be_read_tells_how_to_write_it(option: str, value: str, remedy: str) -> None:
    told = run("simulate", "welcome", option, value)
    assert (told.exit_code, remedy in told.output) == (1, True)


# --- preview ---


def test_a_preview_shows_subject_and_text() -> None:
    told = run("preview", "welcome/hello", "--set", "first_name=Bo").output
    assert told.startswith("Subject: Welcome, Bo\n\nHello Bo,\n")


def test_a_preview_writes_html() -> None:
    run("preview", "welcome/hello", "--html", "hello.html")
    assert Path("hello.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("notice", ["team/notice", "team/task", "team/hand_off"])
def test_notices_to_the_team_can_be_seen_too(notice: str) -> None:
    assert run("preview", notice).output.startswith("Subject: ")


def test_a_message_mistyped_is_put_right() -> None:
    told = run("preview", "welcome/helo")
    assert (told.exit_code, 'did you mean "welcome/hello"?' in told.output) == (1, True)


def test_all_messages_are_shown_in_a_browser_where_the_port_is_free() -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = run("preview", "--port", str(taken.getsockname()[1]))
    assert (told.exit_code, "say another --port" in told.output) == (1, True)


# --- lint ---


def test_there_is_nothing_wrong_with_the_messages_of_a_new_repository() -> None:
    assert run("lint").output == "6 templates: nothing is wrong\n"


def test_what_is_wrong_with_a_message_is_told_with_its_place_for_people_and_for_programs() -> None:
    file = Path("templates/welcome/hello.en.j2")
    file.write_text(file.read_text().replace("{% block html %}", '{% block html %}<img src="https://example.com/a">'))
    told, data = run("lint", "welcome/hello"), run("lint", "welcome/hello", "--json")

    assert told.output.startswith("warning: templates/welcome/hello.en.j2:4: a picture has no alt")
    assert told.output.endswith("1 template: nothing is wrong, 1 warning\n")
    [one] = loads(data.output)
    assert (one["rule"], one["file"], one["line"]) == ("alt", "templates/welcome/hello.en.j2", 4)


def test_a_message_that_would_break_makes_lint_fail() -> None:
    Path("templates/welcome/hello.ru.j2").write_text("{% if %}")
    told = run("lint")
    assert (told.exit_code, "hello.ru.j2:1: Expected an expression" in told.output) == (1, True)


def test_a_word_misspelt_is_found_when_asked_for() -> None:
    file = Path("templates/welcome/hello.en.j2")
    file.write_text(file.read_text().replace("<p>Hello", "<p>Helllo there, Hello and helllo"))
    assert "helllo: no dictionary knows it; did you mean hello?" in run("lint", "--spelling").output


# --- content ---


def test_the_content_report_shows_what_is_covered_and_what_is_not() -> None:
    file = Path("templates/welcome/hello.en.j2")
    file.write_text('{% set stage = "interest" %}{% set objection = "price" %}' + file.read_text())
    told, data = run("report", "content").output, loads(run("report", "content", "--json").output)

    assert "stages without content: need, visit, learn, return, buy, repeat, promoter\n" in told
    assert "messages without a stage: welcome/remind\n" in told
    assert [one["stage"] for one in data["stages"] if one["messages"]] == ["interest"]
    assert data["stages"][1]["campaigns"] == ["welcome"]


# --- processes ---


def test_a_process_that_is_not_here_is_one_clear_line() -> None:
    with pytest.raises(
        NotFound, match=r"no_worker\.py is neither beside the package nor in this directory: run this in"
    ):
        application_root("no_worker.py")


def test_a_setting_that_cannot_be_used_is_one_clear_line() -> None:
    told = CliRunner().invoke(app, ["check"], env={"NURTURE_ENVIRONMENT": "prodution"})
    assert (told.exit_code, told.output.startswith("nurture: NURTURE_ENVIRONMENT: ")) == (1, True)
