"""Caddy or nginx in front of a server with TLS, set up as the examples in deploy/ say."""

import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from clinic_chat.settings import PROJECT_ROOT
from tests.browser.proxies.programs import CADDY, NGINX, program
from tests.support.servers.ports import HOST, free_port

EXAMPLES = PROJECT_ROOT / "deploy"
NAME = "localhost"
START_SECONDS = 20
STOP_SECONDS = 10
LOOK_SECONDS = 0.02
NGINX_MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
CADDY_OPTIONS = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"


@dataclass(frozen=True)
class Certificate:
    """A certificate for `localhost` that nobody but itself vouches for."""

    file: Path
    key: Path

    def trusted(self) -> ssl.SSLContext:
        """What a client needs that trusts it."""
        return ssl.create_default_context(cafile=str(self.file))


@dataclass(frozen=True)
class TlsProxy:
    """A proxy that runs."""

    port: int
    origin: str
    http_origin: str
    """Where it redirects from, "" where it does not."""


def make_certificate(folder: Path) -> Certificate:
    """A new certificate, made by OpenSSL.

    Raises:
        FileNotFoundError: there is no OpenSSL.
    """
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-days", "2", "-nodes"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", str(made.key), "-out", str(made.file)),
        ],
        check=True,
        capture_output=True,
    )
    return made


@contextmanager
def running(
    kind: str, server_port: int, certificate: Certificate, folder: Path
) -> Iterator[TlsProxy]:
    """A proxy of this kind in front of the server on a port of this machine.

    Raises:
        FileNotFoundError: it is not there.
    """
    port, plain_port = free_port(), free_port()
    if kind == CADDY:
        command = _caddy(port, server_port, certificate, folder)
    else:
        command = _nginx(port, plain_port, server_port, certificate, folder)
    log = folder / f"{kind}.log"
    homes = {f"XDG_{kind}_HOME": str(folder) for kind in ("DATA", "CONFIG")}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env={**os.environ, **homes, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            wait_for(port, process, log)
            plain = f"http://{NAME}:{plain_port}" if kind == NGINX else ""
            yield TlsProxy(port, f"https://{NAME}:{port}", plain)
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def _caddy(port: int, server_port: int, certificate: Certificate, folder: Path) -> list[str]:
    with_certificate = f"\tbind {HOST}\n\ttls {certificate.file} {certificate.key}\n"
    site = _changed(
        (EXAMPLES / "Caddyfile").read_text(),
        (
            "{$CLINIC_CHAT_SITE:chat.example.com} {\n",
            f"https://{NAME}:{port} {{\n{with_certificate}",
        ),
        ("{$CLINIC_CHAT_SERVER:127.0.0.1:3000}", f"{HOST}:{server_port}"),
    )
    file = folder / "Caddyfile"
    file.write_text(CADDY_OPTIONS + site)
    return [program(CADDY), "run", "--adapter", "caddyfile", "--config", str(file)]


def _nginx(
    port: int, plain_port: int, server_port: int, certificate: Certificate, folder: Path
) -> list[str]:
    example = (EXAMPLES / "nginx.conf").read_text()
    # The tests' servers listen nowhere but on this machine.
    lines = [line for line in example.splitlines() if "listen [::]:" not in line]
    site = _changed(
        "\n".join(lines),
        ("listen 80;", f"listen {HOST}:{plain_port};"),
        ("listen 443 ssl http2;", f"listen {HOST}:{port} ssl http2;"),
        ("server 127.0.0.1:3000;", f"server {HOST}:{server_port};"),
        ("/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(certificate.file)),
        ("/etc/letsencrypt/live/chat.example.com/privkey.pem", str(certificate.key)),
    )
    (folder / "site.conf").write_text(site.replace("chat.example.com", NAME))
    # Its workers would be another account's, which cannot look into a folder of root's.
    user = "user root;" if os.geteuid() == 0 else ""
    main = folder / "nginx.conf"
    main.write_text(NGINX_MAIN.format(folder=folder, user=user))
    return [program(NGINX), "-e", "stderr", "-p", str(folder), "-c", str(main)]


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, f"the example has not one {old!r}"
        text = text.replace(old, new)
    return text


def wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return when a proxy listens."""
    give_up = monotonic() + START_SECONDS
    while monotonic() < give_up:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            sleep(LOOK_SECONDS)
        else:
            return
    raise AssertionError(log.read_text(errors="replace"))
