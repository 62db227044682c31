"""Files of leads, as users of other engines bring them (D-32): by id, by address, by both, by neither."""

from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from sqlmodel import select

from nurture.catalogue import Catalogue
from nurture.cli.context import Here
from nurture.cli.importing import Import, fields_of
from nurture.cli.sheet import read_sheet
from nurture.errors import BadInput
from nurture.intake import Intake
from nurture.settings import Settings
from nurture.store import Store
from nurture.store.models import IdentityRow, LeadRow

NOBODY = "lead: nobody is named: give email, external_id, phone, cookie or id"


async def imported(store: Store, now: datetime, folder: Path, lines: Sequence[str]) -> tuple[Import, list[str]]:
    """The import of such a file, and what it told of its rows."""
    file = folder / "leads.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sheet, settings, told = read_sheet(file), Settings(_env_file=None), StringIO()
    fields = fields_of(sheet.columns, {}, file.name)
    intake = Intake(store, Catalogue(), settings)
    bringing = Import(Here(settings, store, now), intake, file.name, fields, {}, "import", told)
    await bringing.finish(bringing.begin(list(sheet.rows())))
    await intake.close()
    return bringing, told.getvalue().splitlines()


@pytest.mark.parametrize(
    ("lines", "leads", "told"),
    [
        pytest.param(["external_id", "7", "8"], 2, [], id="D-32 id only"),
        pytest.param(["email", "ann@example.com"], 1, [], id="D-32 address only"),
        pytest.param(["external_id,email", "7,ann@example.com"], 1, [], id="D-32 both"),
        pytest.param(["external_id,email", "7,", ",bob@example.com", "9,eve@example.com"], 3, [], id="D-32 some of each"),
        pytest.param(["external_id,email", "7,", ",", "9,"], 2, [f"leads.csv:3: {NOBODY}"], id="D-32 blank row"),
        pytest.param(["external_id,email", " , ", "9,"], 1, [f"leads.csv:2: {NOBODY}"], id="D-32 blank row of spaces"),
        pytest.param(["external_id,email", "7,", "", "9,"], 2, [], id="D-32 an empty line"),
        pytest.param(["email,city", ",Bonn", "ann@example.com,"], 1, [f"leads.csv:2: {NOBODY}"], id="D-32 nobody's city"),
        pytest.param(["external_id,email", "7,ann@example.com", "7,ann@example.com"], 1, [], id="D-32 twice"),
        pytest.param(["external_id,email", "7,", "7,ann@example.com", ",ann@example.com"], 1, [], id="D-32 more each time"),
        pytest.param(["external_id,email", "7,ann@example.com", "8,nonsense"], 1,
                     ["leads.csv:3: lead.email: is no e-mail address"], id="D-32 no address"),
    ],
)  # fmt: skip
async def test_every_row_that_names_somebody_is_taken_and_every_other_is_told(
    store: Store, now: datetime, tmp_path: Path, lines: Sequence[str], leads: int, told: Sequence[str]
) -> None:
    bringing, said = await imported(store, now, tmp_path, lines)

    assert [line[: len(start)] for line, start in zip(said, told, strict=True)] == told
    assert bringing.tally.bad == len(told)
    async with store.read() as session:
        assert len((await session.exec(select(LeadRow))).all()) == leads


async def test_a_second_run_changes_nothing(store: Store, now: datetime, tmp_path: Path) -> None:  # D-32
    lines = ["external_id,email,city", "7,,Bonn", ",bob@example.com,", "9,eve@example.com,Kiel"]
    async with store.read() as session:
        first, _ = await imported(store, now, tmp_path, lines)
        again, _ = await imported(store, now, tmp_path, lines)
        keys = {(row.kind, row.value) for row in (await session.exec(select(IdentityRow))).all()}

    assert (first.tally.new, again.tally.new, again.tally.changed, again.tally.bad) == (3, 0, 0, 0)
    assert keys == {("external", "7"), ("email", "bob@example.com"), ("external", "9"), ("email", "eve@example.com")}


async def test_a_file_that_names_nobody_at_all_is_refused(store: Store, now: datetime, tmp_path: Path) -> None:  # D-32
    with pytest.raises(BadInput, match=r"leads.csv:1: nobody is named"):
        await imported(store, now, tmp_path, ["city,country", "Bonn,DE"])
