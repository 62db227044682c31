"""A worker whose workflow goes another way than the histories say: a build that should never have been deployed.

python -m tests.faults.differing_build
"""

import runpy
from datetime import datetime, timedelta

from temporalio import workflow

from tests.faults.this_build import hasten
from workflows.journey import JourneyWorkflow

rest = JourneyWorkflow._rest


async def _ask_and_rest(self: JourneyWorkflow, until: datetime | None) -> None:
    if self.version.campaign.key == "patient":  # who goes a step by this build is lost to any other
        workflow.start_activity("ask", start_to_close_timeout=timedelta(seconds=1))
    await rest(self, until)


if __name__ == "__main__":
    JourneyWorkflow._rest = _ask_and_rest  # type: ignore[method-assign]
    hasten()
    runpy.run_module("worker", run_name="__main__")
