"""Child processes that end with this one, however it ends; each writes into a log of its own."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nurture.errors import Unavailable

LAST_LINES = 8
WATCH = Path(__file__).parent / "watch.py"


class Children:
    """The processes of a stack by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log_starts: dict[str, int] = {}
        self._watcher: subprocess.Popen[bytes] | None = None

    def log(self, name: str) -> Path:
        """Where that process writes."""
        return self._folder / f"{name}.log"

    def pid(self, name: str) -> int:
        """The process itself."""
        return self._processes[name].pid

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        """Start it, in a session of its own: a Ctrl-C is for us, who then end them in order."""
        with self.log(name).open("ab") as log:
            self._log_starts[name] = log.tell()
            process = subprocess.Popen(  # noqa: S603  # our own programs
                command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._processes[name] = process
        self._watch(f"+{process.pid}")

    def said(self, name: str, words: str) -> bool:
        """Whether the process has written these words since it was started."""
        with self.log(name).open("rb") as log:
            log.seek(self._log_starts[name])
            return words.encode() in log.read()

    def check(self) -> None:
        """Raise when one has ended by itself, with the end of its log."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise Unavailable(f"{name} ended with {process.returncode}; {self._tail(name)}")

    def kill(self, name: str) -> None:
        """End it at once with SIGKILL, as a crash would."""
        process = self._processes.pop(name)
        process.kill()
        self._gone(process)

    def end(self, *names: str, patience: float = 20) -> None:
        """Let them finish what they have begun, all of them at the same time; kill the one that does not."""
        ending = [self._processes.pop(name) for name in names if name in self._processes]
        for process in ending:
            process.terminate()
        for process in ending:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
            self._gone(process)

    def close(self) -> None:
        """End what is left, and the watcher."""
        self.end(*list(self._processes))
        if self._watcher is not None and self._watcher.stdin is not None:
            self._watcher.stdin.close()
            self._watcher.wait()

    def _gone(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._watch(f"-{process.pid}")

    def _watch(self, news: str) -> None:
        if self._watcher is None:
            command = [sys.executable, "-I", str(WATCH)]  # stands alone: no import of ours, ready at once
            self._watcher = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  # ours
        assert self._watcher.stdin is not None
        self._watcher.stdin.write(f"{news}\n".encode())
        self._watcher.stdin.flush()

    def _tail(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()[-LAST_LINES:]
        return f"the end of {self.log(name)}:\n" + "\n".join(lines)
