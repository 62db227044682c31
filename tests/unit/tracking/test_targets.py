import pytest

from nurture.tracking.switches import Track
from nurture.tracking.targets import told, words_of

OURS = ["https://www.example.com"]
WORDS = words_of("price-list", "price-list/greet", "email", Track())
ALL = "utm_source=email&utm_medium=email&utm_campaign=price-list&utm_content=price-list/greet"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.example.com", f"https://www.example.com?{ALL}"),
        ("https://www.example.com/a?b=c#d", f"https://www.example.com/a?b=c&{ALL}#d"),
        ("https://www.example.com/#/a?b", f"https://www.example.com/?{ALL}#/a?b"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("mailto:ann@example.com", "mailto:ann@example.com"),
    ],
)
def test_our_own_sites_are_told_where_a_reader_comes_from(url: str, expected: str) -> None:
    assert told(url, WORDS, Track(), OURS) == expected


def test_what_the_author_wrote_there_stands() -> None:
    written = "https://www.example.com/?utm_source=letter&UTM_Campaign=spring"

    assert told(written, WORDS, Track(), OURS) == f"{written}&utm_medium=email&utm_content=price-list/greet"


def test_others_are_told_only_when_a_campaign_asks_for_it() -> None:
    elsewhere = "https://elsewhere.example/a"

    assert told(elsewhere, WORDS, Track(everywhere=True), OURS) == f"{elsewhere}?{ALL}"
    assert told("https://www.example.com/", WORDS, Track(utm=False), OURS) == "https://www.example.com/"


def test_a_campaign_names_source_and_medium_itself_and_words_are_quoted() -> None:
    words = words_of("весна", "a", "email", Track(source="our letter", medium="mail"))

    assert told("https://www.example.com/", words, Track(), OURS).endswith(
        "?utm_source=our%20letter&utm_medium=mail&utm_campaign=%D0%B2%D0%B5%D1%81%D0%BD%D0%B0&utm_content=a"
    )
