"""Commands, given in a team's new repository with a database of its own (the fixture `repository`)."""

from typer.testing import CliRunner, Result

from nurture.cli.main import app


def run(*arguments: str, **env: str) -> Result:
    """What became of the command."""
    return CliRunner().invoke(app, arguments, env=env)
