"""Behind Caddy and nginx, which speak TLS on a port of their own, everything works."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.web.cookies import cookie_name
from tests.browser.conftest import Visit
from tests.browser.proxies.programs import CADDY, NGINX
from tests.browser.proxies.tls_proxy import Certificate, TlsProxy, make_certificate, running
from tests.support.browser.badge import LIVE, POLLING, badge_is
from tests.support.browser.pages import answer, fill_in, message, thread_of
from tests.support.channel import Channel
from tests.support.people import ANA, new_patient
from tests.support.servers.server import Server

# As where something on the way lets no websocket through.
NO_WEBSOCKETS = """
window.WebSocket = class {
  constructor() {
    setTimeout(() => { this.onerror?.({}); this.onclose?.({ code: 1006 }); });
  }
  close() {}
  send() {}
};
"""
LARGEST_BODY = 1024 * 1024


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    try:
        return make_certificate(tmp_path_factory.mktemp("certificate"))
    except FileNotFoundError as error:
        pytest.skip(f"a certificate is made with OpenSSL: {error}")


@pytest.fixture(params=[CADDY, NGINX])
def proxy(
    request: pytest.FixtureRequest, server: Server, certificate: Certificate, tmp_path: Path
) -> Iterator[TlsProxy]:
    """The shared server behind TLS."""
    try:
        with running(request.param, server.port, certificate, tmp_path) as proxy:
            yield proxy
    except FileNotFoundError as error:
        pytest.skip(f"python -m tests.browser.proxies.install gets it on Debian: {error}")


async def test_staff_sign_in_and_what_patients_write_is_there_at_once(
    proxy: TlsProxy, visit: Visit, channel: Channel
) -> None:
    patient = new_patient()
    first = await channel.deliver(patient, "Bom dia")
    path = f"/c/{first.conversation_id}"
    ana = await visit(path=path, at=proxy, ignore_https_errors=True)
    await expect(ana).to_have_url(re.compile(f"{proxy.origin}/login"))

    await fill_in(ana, ANA, DEMO_PASSWORD)

    await expect(ana).to_have_url(f"{proxy.origin}{path}")
    await thread_of(ana, patient.name)
    await badge_is(ana, LIVE)
    kept = {cookie["name"]: cookie for cookie in await ana.context.cookies()}
    assert kept[cookie_name(secure=True)]["secure"]
    await channel.deliver(patient, "Por websocket")
    await expect(message(ana, "Por websocket")).to_be_visible()

    polling = await ana.context.new_page()
    await polling.add_init_script(NO_WEBSOCKETS)
    await polling.goto(path)
    await badge_is(polling, POLLING)
    await channel.deliver(patient, "Por polling")
    await expect(message(polling, "Por polling")).to_be_visible()
    await answer(polling, "Bom dia!")
    await expect(message(polling, "Bom dia!")).to_have_attribute("data-status", "sent")
    await expect(message(ana, "Bom dia!")).to_be_visible()


async def test_programs_and_forms_pass_with_the_port_that_browsers_know(
    server: Server, proxy: TlsProxy, certificate: Certificate
) -> None:
    form = {"email": ANA, "password": DEMO_PASSWORD}
    patient = new_patient()
    inbound = {
        "patient": {"name": patient.name, "phone": patient.phone},
        "body": "x" * (LARGEST_BODY - 1000),
        "externalId": f"large-{proxy.port}",
    }
    async with httpx.AsyncClient(
        base_url=proxy.origin, verify=certificate.trusted(), timeout=30
    ) as client:
        own = await client.post("/auth/login", data=form, headers={"Origin": proxy.origin})
        elsewhere = {"Origin": proxy.origin.rpartition(":")[0]}
        strange = await client.post("/auth/login", data=form, headers=elsewhere)
        page = await client.get("/login")
        with_slash = await client.get("/api/v1/openapi.json/")
        stored = await client.post(
            "/api/v1/inbound",
            json=inbound,
            headers={"Authorization": f"Bearer {server.token()}"},
        )
        plain = await client.get(f"{proxy.http_origin}/login?next=/")
    assert (own.status_code, own.headers["location"]) == (303, "/")
    assert own.headers["set-cookie"].startswith(f"{cookie_name(secure=True)}=")
    assert strange.status_code == 403
    assert page.headers["strict-transport-security"]
    assert f"wss://localhost:{proxy.port}" in page.headers["content-security-policy"]
    assert with_slash.headers.get("location", proxy.origin).startswith(proxy.origin)
    assert stored.status_code == 201, stored.text
    if proxy.http_origin:
        assert plain.status_code == 301
        assert plain.headers["location"] == "https://localhost/login?next=/"
