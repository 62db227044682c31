"""A worker of today's build, whose breakers let a probe through every half a second: a run has no time for thirty.

python -m tests.faults.this_build
"""

import runpy
from datetime import timedelta

from nurture import breaker
from nurture.channels import guarded

SOON = timedelta(seconds=0.5)


def hasten() -> None:
    """Let this process's breakers do so."""
    breaker.PROBE_EVERY = breaker.SHORTEST_SPREAD = SOON
    vars(guarded)["PROBE_EVERY"] = SOON


if __name__ == "__main__":
    hasten()
    runpy.run_module("worker", run_name="__main__")
