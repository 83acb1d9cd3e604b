"""A real PostgreSQL server for tests, where its programs are on this machine."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSWORD = "not-to-be-seen"


def program(name: str) -> str | None:
    """Where a program of the server's is: Debian does not put it on the path."""
    places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def server() -> Iterator[str]:
    """Start one on a free port, and give its URL; as another user if this is root's process."""
    initdb, control = program("initdb"), program("pg_ctl")
    assert initdb is not None and control is not None
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-", dir="/tmp"))
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    data = str(folder / "data")

    def call(*command: str) -> None:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, **as_user
        )
        assert done.returncode == 0, done.stderr + done.stdout

    try:
        secret = f"--pwfile={folder / 'password'}"
        call(initdb, "-D", data, "-U", "bench", "--auth=scram-sha-256", secret, "-E", "UTF8")
        port = free_port()
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        call(control, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://bench:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            call(control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
