import pytest

from nurture.deliverability.receivers import in_public, receiver


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ann@gmail.com", "gmail"),
        ("Ann@GoogleMail.com", "gmail"),
        ("ann@hotmail.co.uk", "outlook"),
        ("ann@yahoo.fr", "yahoo"),
        ("ann@yahoo.com", "yahoo"),
        ("ann@bk.ru", "mail.ru"),
        ("ann@live.example.com", "live.example.com"),
        ("ann@Shop.example", "shop.example"),
    ],
)
def test_large_receivers_go_by_name_and_others_by_domain(address: str, name: str) -> None:
    assert receiver(address) == name


def test_in_public_a_domain_of_its_own_is_not_named() -> None:
    assert [in_public(name) for name in ("gmail", "mail.ru", "ann.example")] == ["gmail", "mail.ru", "other"]
