"""The web process as it is served: `python -m web --host 127.0.0.1 --port 8000`."""

from argparse import ArgumentParser

import uvicorn

from web.protocol import BoundedHead

if __name__ == "__main__":
    parser = ArgumentParser(prog="web", description="Intake, webhooks, links and pages.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    uvicorn.run("web.app:create", factory=True, host=given.host, port=given.port, http=BoundedHead, access_log=False)
