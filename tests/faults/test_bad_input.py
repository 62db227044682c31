"""Bad input: whatever comes in, nothing breaks, and what is good beside it is taken (F21, F22)."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from nurture.laptop.ports import HOST
from nurture.loader import read
from tests.faults.arena import ROOT, Arena
from tests.faults.databases import Sqlite

ROADS = (ROOT / "tests" / "faults" / "campaigns" / "roads.py").read_text()
TEMPLATES = ROOT / "tests" / "templates"
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
# What goes into a lead's data: any text JSON can carry, half characters and all, and numbers at the edges.
WORDS = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["\0", "\ud800", "\u202e", "{{ 7 * 7 }}", "=cmd()", "x" * 5000]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([1e308, -0.0, 2**63, 10**400])
JUNK = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda one: st.lists(one, max_size=4) | st.dictionaries(WORDS, one, max_size=4),
    max_leaves=12,
)
FIELDS = ("id", "name", "lead", "properties", "at", "source", "machine", "consents", "enrol", "points")
LEAD = st.dictionaries(
    st.sampled_from(["email", "id", "phone", "cookie", "tags", "company", "city", "test"]) | WORDS, JUNK, max_size=4
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A real web process over an empty store."""
    folder = tmp_path_factory.mktemp("web")
    with asyncio.Runner() as runner:
        arena = Arena(folder, Sqlite(folder))
        shutil.copytree(ROOT / "tests" / "faults" / "campaigns", arena.campaigns)
        runner.run(arena.prepare_store())
        arena.start_web()
        runner.run(arena.web_answers())
        headers = {"Authorization": f"Bearer {arena.key}", "Content-Type": "application/json"}
        with httpx.Client(
            base_url=f"http://{HOST}:{arena.ports.web}", headers=headers, trust_env=False, timeout=20
        ) as client:
            yield client
        runner.run(arena.stop())


def good() -> dict[str, Any]:
    return {"id": uuid4().hex, "name": "visited", "lead": {"email": f"{uuid4().hex}@example.com"}}


@QUICK
@given(
    bad=st.fixed_dictionaries({}, optional={**dict.fromkeys(FIELDS, JUNK), "lead": LEAD | JUNK}),
    whole=JUNK,
    at=st.booleans(),
)
def test_neighbours_of_any_junk_in_a_batch_are_taken(web: httpx.Client, bad: Any, whole: Any, at: bool) -> None:
    items = [good(), {**good(), **bad}, whole, good()] if at else [whole, good(), bad, good()]
    answer = web.post("/v1/events", content=json.dumps(items).encode("utf-8", "surrogatepass"))

    assert answer.status_code == 207, answer.text
    statuses = [one["status"] for one in answer.json()["results"]]
    places = (0, 3) if at else (1, 3)
    assert all(status == 202 or 400 <= status < 500 for status in statuses), statuses
    assert [statuses[place] for place in places] == [202, 202]


@QUICK
@example(body=b'{"id": 1' + b"0" * 10_000 + b"}")
@example(body=b"[" * 100_000)
@example(body=b'{"name":"visited","lead":{"email":"' + b"x" * 900_000 + b'"}}')
@given(body=st.binary(max_size=200))
def test_a_body_of_any_bytes_is_refused_or_taken_and_breaks_nothing(web: httpx.Client, body: bytes) -> None:
    for path in ("/v1/events", "/v1/leads", "/v1/journeys", "/hooks/in/shop"):
        status = web.post(path, content=body).status_code

        assert status in (202, 207) or 400 <= status < 500, (path, status)


def test_a_body_that_is_too_large_is_refused(web: httpx.Client) -> None:
    assert web.post("/v1/events", content=b"x" * 2_000_000).status_code == 413


def test_what_the_description_allows_and_forbids_never_breaks_the_api(web: httpx.Client) -> None:
    api = schemathesis.openapi.from_url(str(web.base_url.join("/openapi.json")))
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        _hold_out(web, operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        with suppress(Unsatisfiable):  # where nothing is asked for, nothing can be given wrongly
            _hold_out(web, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def _hold_out(web: httpx.Client, cases: st.SearchStrategy[Case[Any]]) -> None:
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def holds_out(case: Case[Any]) -> None:
        answer = case.call(headers={"Authorization": web.headers["Authorization"]})

        assert answer.status_code < 500, case.as_curl_command()

    holds_out()


@QUICK
@given(
    begin=st.integers(0, len(ROADS)),
    length=st.integers(0, 80),
    word=st.sampled_from(["", "None", "days(-1)", "'", "(", "send", "7"]),
)
def test_a_file_of_campaigns_that_is_damaged_anywhere_is_reported_with_its_place(
    tmp_path_factory: pytest.TempPathFactory, begin: int, length: int, word: str
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "roads.py").write_text(ROADS[:begin] + word + ROADS[begin + length :])

    loaded = read(folder, TEMPLATES)

    assert all(str(fault) for fault in loaded.faults)


VERBS = (
    "send",
    "wait",
    "wait_for",
    "branch",
    "split",
    "go",
    "leave",
    "tag",
    "add_points",
    "escalate",
    "call",
    "enrol",
    "survey",
    "task",
)
LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8"), max_size=12),
    lambda one: (
        st.lists(one, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), one, max_size=3)
    ),
    max_leaves=5,
)


@QUICK
@given(verb=st.sampled_from(VERBS), given_=st.lists(LITERALS, max_size=3), key=LITERALS)
def test_steps_made_of_anything_are_reported_not_raised(
    tmp_path_factory: pytest.TempPathFactory, verb: str, given_: list[Any], key: Any
) -> None:
    folder = tmp_path_factory.mktemp("anything")
    step = f"nurture.{verb}({', '.join(map(repr, given_))})"
    campaign = f"nurture.Campaign(key={key!r}, enters=[nurture.on('asked')], states=[nurture.State('one', [{step}])])"
    (folder / "odd.py").write_text(f"import nurture\ninf = nan = 1e999\nodd = {campaign}\n")

    read(folder, TEMPLATES)
