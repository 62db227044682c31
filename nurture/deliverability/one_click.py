"""Unsubscribing with one click (RFC 8058): the two headers of marketing, and what they need to count."""


def one_click(unsubscribe: str) -> dict[str, str]:
    """The headers that let a mailbox unsubscribe its owner, by the lead's own link."""
    return {"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
