"""Needs: what a lead said outweighs what it seems to need."""

from nurture.needs import Need, holds

SAID = Need(product="kit", kind="explicit", readiness=40)


def test_what_is_presumed_takes_nothing_back_from_what_was_said() -> None:
    guesses = [Need(product="kit", kind="presumed", readiness=readiness) for readiness in (10, 90)]

    assert [holds(SAID, one) for one in guesses] == [SAID, SAID.model_copy(update={"readiness": 90})]


def test_what_was_said_last_holds() -> None:
    gone = Need(product="kit", readiness=0, status="gone")

    assert holds(SAID, gone) == gone
    assert holds(gone, Need(product="kit", kind="presumed", readiness=20)).readiness == 20
    assert holds(None, SAID) == SAID
