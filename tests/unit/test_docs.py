import re
from pathlib import Path

import pytest

import nurture
from nurture import Campaign
from nurture.diagram import mermaid
from nurture.settings import Settings
from nurture.version import frozen

ROOT = Path(__file__).parents[2]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


WITH_CODE = [ROOT / "README.md", ROOT / "docs/campaigns.md", ROOT / "docs/how-to/documents.md"]


@pytest.mark.parametrize("text", WITH_CODE, ids=lambda path: path.name)
def test_the_python_blocks_run(text: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", text.read_text(), re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), text.name, "exec"), {})


def test_the_picture_in_the_readme_is_that_of_its_campaign() -> None:
    text = (ROOT / "README.md").read_text()
    named: dict[str, object] = {}
    exec(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], named)
    assert isinstance(named["campaign"], Campaign)
    assert f"```mermaid\n{mermaid(frozen(named['campaign']))}```" in text


def test_every_word_of_the_vocabulary_is_explained() -> None:
    told = (ROOT / "docs/campaigns.md").read_text()
    assert [word for word in nurture.__all__ if not re.search(rf"\b{word}\b", told)] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(text: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text.read_text())
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_every_setting_is_documented() -> None:
    told = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"NURTURE_{name.upper()}`" not in told] == []
