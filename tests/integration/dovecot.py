"""Mailboxes on a real IMAP server: Debian's dovecot, started on a folder of its own."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from pydantic import SecretStr

from nurture.mailroom.imap import Account

PATIENCE = 20.0
PASSWORD = "correct-horse"
SETTINGS = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/%u
auth_failure_delay = 0
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


class Box:
    """One mailbox; mails are delivered as a mail server does, into its folder."""

    def __init__(self, folder: Path, port: int, owner: pwd.struct_passwd) -> None:
        self.folder, self._owner, self._delivered = folder, owner, 0
        self.account = Account("127.0.0.1", port, folder.name, SecretStr(PASSWORD), "none", "INBOX")
        for name in ("", "tmp", "new", "cur"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)

    def deliver(self, *mails: bytes) -> None:
        """Put the mails into the mailbox."""
        for mail in mails:
            self._delivered += 1
            name = f"{1_700_000_000 + self._delivered}.M{self._delivered}.test"
            file = self.folder / "tmp" / name
            file.write_bytes(mail)
            os.chown(file, self._owner.pw_uid, self._owner.pw_gid)
            file.rename(self.folder / "new" / name)

    def renumber(self) -> None:
        """Make the mailbox anew with the same mails in it: their numbers mean nothing any more."""
        for file in self.folder.glob("dovecot.index*"):
            file.unlink()
        before = re.search(r"V(\d+)", (self.folder / "dovecot-uidlist").read_text())
        assert before is not None
        (self.folder / "dovecot-uidlist").write_text(f"3 V{int(before[1]) + 1} N1\n")


class Dovecot:
    """The server; who logs in has a mailbox by that name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._boxes = folder, 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        root = os.geteuid() == 0  # then the server gives itself to users of its own, and mailboxes to another
        self._owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        names = ("dovecot", "dovenull", "dovecot") if root else (self._owner.pw_name,) * 3
        written = SETTINGS.format(
            folder=folder, internal=names[0], login=names[1], group=names[2], password=PASSWORD, port=self.port,
            uid=self._owner.pw_uid, gid=self._owner.pw_gid,
        )  # fmt: skip
        folder.chmod(0o755)
        (folder / "dovecot.conf").write_text(written)
        binary = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert binary, "there is no dovecot: apt-get install dovecot-imapd"
        self._process = subprocess.Popen([binary, "-F", "-c", str(folder / "dovecot.conf")])
        self._wait()

    def box(self) -> Box:
        """A new mailbox."""
        self._boxes += 1
        return Box(self.folder / f"box-{self._boxes}", self.port, self._owner)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "dovecot.log").read_text()) from None
                time.sleep(0.02)
