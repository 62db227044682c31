import re
from pathlib import Path

import pytest

from nurture.settings import Settings

ROOT = Path(__file__).parents[2]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_python_blocks_of_the_readme_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), "README.md", "exec"), {})


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(text: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text.read_text())
    assert [link for link in links if not (text.parent / link).exists()] == []


def test_every_setting_is_documented() -> None:
    told = (ROOT / "docs/settings.md").read_text()
    assert [name for name in Settings.model_fields if f"NURTURE_{name.upper()}`" not in told] == []
