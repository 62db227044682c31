"""A mailbox on a real IMAP server: Debian's dovecot, started on a folder of its own."""

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
USER, PASSWORD = "returns", "correct-horse"
SETTINGS = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
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
  args = uid={uid} gid={gid} home={folder}/mail
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
}}
"""


class Dovecot:
    """The server and its one mailbox; mails are delivered as a mail server does, into the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._delivered = folder, 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        root = os.geteuid() == 0  # then the server gives itself to users of its own, and the mailbox to another
        self._owner = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.geteuid())
        names = ("dovecot", "dovenull", "dovecot") if root else (self._owner.pw_name,) * 3
        written = SETTINGS.format(
            folder=folder, internal=names[0], login=names[1], group=names[2], password=PASSWORD, port=self.port,
            uid=self._owner.pw_uid, gid=self._owner.pw_gid,
        )  # fmt: skip
        (folder / "dovecot.conf").write_text(written)
        self._make_mailbox()
        binary = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert binary, "there is no dovecot: apt-get install dovecot-imapd"
        self._process = subprocess.Popen([binary, "-F", "-c", str(folder / "dovecot.conf")])
        self._wait()

    @property
    def account(self) -> Account:
        return Account("127.0.0.1", self.port, USER, SecretStr(PASSWORD), "none", "INBOX")

    def deliver(self, *mails: bytes) -> None:
        """Put the mails into the mailbox."""
        for mail in mails:
            self._delivered += 1
            name = f"{1_700_000_000 + self._delivered}.M{self._delivered}.test"
            file = self.folder / "mail" / "tmp" / name
            file.write_bytes(mail)
            os.chown(file, self._owner.pw_uid, self._owner.pw_gid)
            file.rename(self.folder / "mail" / "new" / name)

    def renumber(self) -> None:
        """Make the mailbox anew with the same mails in it: their numbers mean nothing any more."""
        box = self.folder / "mail"
        for file in box.glob("dovecot.index*"):
            file.unlink()
        before = re.search(r"V(\d+)", (box / "dovecot-uidlist").read_text())
        assert before is not None
        (box / "dovecot-uidlist").write_text(f"3 V{int(before[1]) + 1} N1\n")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _make_mailbox(self) -> None:
        self.folder.chmod(0o755)
        for name in ("", "tmp", "new", "cur"):
            place = self.folder / "mail" / name
            place.mkdir(parents=True, exist_ok=True)
            os.chown(place, self._owner.pw_uid, self._owner.pw_gid)

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
