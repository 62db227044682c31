"""The task queues: the usual one, of journeys, and two that it is never behind or in front of."""


def urgent_queue(usual: str) -> str:
    """Where hand-offs are made and their clocks run, whatever the usual queue is busy with."""
    return f"{usual}-urgent"


def bulk_queue(usual: str) -> str:
    """Where bulk runs are, so that they hold up nobody."""
    return f"{usual}-bulk"
