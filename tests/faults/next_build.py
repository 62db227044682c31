"""A worker of the next build: the workflow's code has changed, its commands have not.

python -m tests.faults.next_build
"""

import runpy
from datetime import datetime

from temporalio import workflow

from tests.faults.this_build import hasten
from workflows.journey import JourneyWorkflow

rest = JourneyWorkflow._rest


async def _rest_and_say_so(self: JourneyWorkflow, until: datetime | None) -> None:
    workflow.logger.debug("a journey rests")
    await rest(self, until)


if __name__ == "__main__":
    JourneyWorkflow._rest = _rest_and_say_so  # type: ignore[method-assign]
    hasten()
    runpy.run_module("worker", run_name="__main__")
