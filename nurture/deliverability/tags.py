"""Lists of tags, as DKIM and DMARC write their records: `v=DKIM1; k=rsa; p=…`."""


def tags(text: str) -> dict[str, str]:
    """What each tag says, spaces left out; of a tag said twice the first counts."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), "".join(value.split()))
    return found
