"""A short working day in Firefox and in Safari's engine, today's and an older one."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from clinic_chat.demo import DEMO_PASSWORD
from tests.browser.conftest import SCREENSHOTS
from tests.browser.engines.driver import started
from tests.browser.engines.network import Network
from tests.browser.engines.person import ACCOUNT, FAILED, RETRY, STATUS, Person
from tests.browser.engines.programs import ENGINES, WPE, Engine
from tests.support.network.proxy import Upgrades
from tests.support.people import ANA, Patient, new_patient
from tests.support.servers.server import Server

PENDING = 1
SIGN_OUT = -1
# So wide the window of WPE is, which has no size that could be changed.
TABLET_PX = 800
BACK_SECONDS = 20


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the other engines."""
    found: Engine = request.param
    return found


@pytest.fixture
def person(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody with a browser of that engine."""
    failures = request.session.testsfailed
    with started(engine) as browser:
        if engine is not WPE:
            browser.set_window_size(TABLET_PX, 700)
        yield Person(browser)
        if request.session.testsfailed > failures:
            SCREENSHOTS.mkdir(exist_ok=True)
            browser.save_screenshot(str(SCREENSHOTS / f"{engine.name}.png"))


def test_a_working_day(engine: Engine, person: Person, server: Server) -> None:
    patient = new_patient()
    deliver(server, patient, "Bom dia")
    with Network(server.port) as network:
        # Signing in.
        person.browser.get(network.origin)
        person.sign_in(ANA, DEMO_PASSWORD)
        person.badge_is("live")
        person.open_row(patient.name)
        person.message_is("Bom dia", "sent")
        has_room_to_write(person)

        # Sending and receiving.
        person.write("Boa tarde")
        person.message_is("Boa tarde", "sent")
        deliver(server, patient, "Posso remarcar?")
        person.message_is("Posso remarcar?", "sent")

        # A menu.
        person.choose(STATUS, PENDING)
        person.attribute_is(STATUS, "data-status", "pending")

        # Offline and back.
        network.go_away()
        person.badge_is("waiting")
        person.write("Pode, sim")
        person.message_is("Pode, sim", "waiting")
        network.come_back()
        person.find(RETRY).click()
        person.badge_is("live")
        person.message_is("Pode, sim", "sent")

        # Where websockets are refused.
        network.come_back(Upgrades.REFUSED)
        person.poll_from_now_on()
        person.badge_is("polling")
        person.write("Até quinta")
        person.message_is("Até quinta", "sent")
        deliver(server, patient, "Obrigada")
        person.message_is("Obrigada", "sent")
        assert not person.browser.find_elements("css selector", FAILED)

        # Signing out, and Back.
        person.choose(ACCOUNT, SIGN_OUT)
        person.find("input[name=password]")
        person.browser.back()
        shown_after_back(person, patient)


def has_room_to_write(person: Person) -> None:
    """As many panes as fit into a tablet's window, nothing beyond its edge."""
    layout = person.layout()
    assert layout["window"] <= TABLET_PX
    assert layout["page"] <= layout["window"]
    assert layout["panes"] == 2
    assert layout["box"] > layout["window"] / 3


def deliver(server: Server, patient: Patient, body: str) -> None:
    """Store a message of the patient."""
    answer = httpx.post(
        f"{server.origin}/api/v1/inbound",
        headers={"Authorization": f"Bearer {server.token()}"},
        json={
            "patient": {"name": patient.name, "phone": patient.phone},
            "body": body,
            "externalId": uuid4().hex,
        },
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


def shown_after_back(person: Person, patient: Patient) -> None:
    """Look from now on until the sign-in form is there: never is anything of the patient."""
    give_up = time.monotonic() + BACK_SECONDS
    while time.monotonic() < give_up:
        assert patient.name not in person.seen()
        assert "Bom dia" not in person.seen()
        if person.browser.find_elements("css selector", "input[name=password]"):
            return
    raise AssertionError(f"no sign-in form, but {person.browser.current_url}")
