"""What a lead reads in its letter: by its own clock, in its own language."""

import shutil
from pathlib import Path

import pytest

from nurture import Campaign, State, days, on, send, wait
from tests.integration.walking import TEMPLATES, Way

CALL = Campaign("call", enters=[on("asked")], states=[State("one", [send("test/call"), wait(days(3))])])
AT = '{{ "2026-12-01T20:30+00:00" | datetime }}, {{ 1 | plural(one="a seat", other="{n} seats") }}'


@pytest.mark.parametrize(
    ("zone", "told"), [("Asia/Tokyo", "December 2, 2026, 5:30 AM"), (None, "December 1, 2026, 8:30 PM")]
)
async def test_a_moment_in_a_message_is_told_by_the_leads_clock_or_by_the_houses(
    way: Way, tmp_path: Path, zone: str | None, told: str
) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    blocks = "{% block subject %}The call{% endblock %}{% block html %}" + AT + "{% endblock %}"
    (tmp_path / "templates/test/call.en.j2").write_text('{% extends "layouts/message.j2" %}' + blocks, "utf-8")
    way.settings = way.settings.model_copy(update={"templates": tmp_path / "templates"})
    await (await way.begin(CALL, time_zone=zone)).walk()

    [mail] = way.post.taken
    assert mail.text.replace("\u202f", " ").startswith(f"{told}, a seat")
