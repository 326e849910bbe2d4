"""Errors have one shape and leak nothing, and the pages behind the API are left alone."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clinic_chat.api.app import create_api
from clinic_chat.api.errors import error_response
from clinic_chat.domain.errors import Conflict, DomainError, InvalidInput, NotFound, RateLimited
from clinic_chat.logs import configure_logging
from clinic_chat.storage.database import StorageUnavailable
from clinic_chat.storage.sqlite.library import sqlite3
from tests.integration.api.api_fixtures import HOST, ClinicApi, clinic_api


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


@pytest.fixture
def log_lines() -> Iterator[StringIO]:
    """What the process would log; the earlier configuration is put back."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    lines = StringIO()
    configure_logging("INFO", lines)
    yield lines
    structlog.configure(**configured)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def mounted(api: ClinicApi) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with a page server mounted behind it, as Reflex does."""

    async def page(request: Request) -> Response:
        if request.url.path == "/broken":
            raise NotFound("a page's own error")
        return PlainTextResponse(f"page {request.method} {request.url.path}")

    everything = Route("/{rest:path}", page, methods=["GET", "POST"])
    app = create_api(api.services, api.services.sessions.end)
    app.mount("", Starlette(routes=[everything]))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        yield client


def error_of(response: httpx.Response) -> dict[str, str]:
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    assert error["code"]
    assert error["message"]
    return error


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/v1/inbound", 405, "POST"),
        ("DELETE", "/api/v1/inbound", 405, "POST"),
        ("GET", "/auth/login", 405, "POST"),
        ("PUT", "/auth/logout", 405, "POST"),
        ("HEAD", "/auth/switch", 405, "POST"),
        ("GET", "/api/v1/nothing", 404, None),
        ("POST", "/api/v2/inbound", 404, None),
        ("POST", "/auth/login/", 404, None),
        ("POST", "/auth/nothing", 404, None),
        ("GET", "/api/", 404, None),
    ],
)
async def test_the_rest_of_our_prefixes_is_404_or_405_and_never_a_page(
    mounted: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    response = await mounted.request(method, path)

    assert response.status_code == status
    assert response.headers.get("allow") == allow
    if method != "HEAD":
        assert error_of(response)["code"] == {404: "not_found", 405: "method_not_allowed"}[status]


@pytest.mark.parametrize("path", ["/", "/c/1", "/login", "/apiary", "/authors"])
async def test_every_other_path_is_the_page_servers(mounted: httpx.AsyncClient, path: str) -> None:
    assert (await mounted.get(path)).text == f"page GET {path}"


async def test_the_page_servers_errors_are_not_ours_to_answer(mounted: httpx.AsyncClient) -> None:
    response = await mounted.get("/broken")

    assert (response.status_code, response.text) == (500, "Internal Server Error")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("no such conversation"), 404, "not_found"),
        (InvalidInput("the body is empty", code="body_empty"), 422, "body_empty"),
        (Conflict("it changed"), 409, "conflict"),
        (RateLimited("too many"), 429, "rate_limited"),
        (DomainError("no", code="refused"), 422, "refused"),
        (StorageUnavailable("OperationalError"), 503, "storage_unavailable"),
        (RuntimeError("Maria Souza +5511987654321"), 500, "internal"),
    ],
)
def test_every_kind_of_error_has_its_status(error: Exception, status: int, code: str) -> None:
    response = error_response(error)
    body = json.loads(bytes(response.body))

    assert response.status_code == status
    assert body["error"]["code"] == code
    assert "Maria" not in body["error"]["message"]
    assert ("retry-after" in response.headers) == (status in {429, 503})


@pytest.mark.parametrize("any_database_url", ["sqlite"], indirect=True)
async def test_an_unexpected_error_is_logged_by_type_and_place_without_data(
    api: ClinicApi, database_path: Path, log_lines: StringIO
) -> None:
    with closing(sqlite3.connect(database_path)) as connection:
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    message = {
        "patient": {"name": "Maria Souza", "phone": "+5511987654321"},
        "body": "um segredo",
        "externalId": "wa-1",
    }
    response = await api.client.post("/api/v1/inbound", json=message, headers=api.bearer)

    assert response.status_code == 500
    assert error_of(response)["code"] == "internal"
    everything = response.text + log_lines.getvalue()
    assert '"exception": "IntegrityError"' in everything
    assert not any(value in everything for value in ("Maria", "98765", "segredo", "wa-1"))


async def test_an_exception_reaches_the_log_as_types_and_places(log_lines: StringIO) -> None:
    try:
        try:
            raise ValueError("Maria Souza")
        except ValueError as cause:
            raise RuntimeError("+5511987654321") from cause
    except RuntimeError:
        structlog.get_logger("clinic_chat.ours").exception("went_wrong", conversation="1")
        logging.getLogger("theirs").exception("went wrong")

    ours, theirs = (json.loads(line) for line in log_lines.getvalue().splitlines())
    assert (ours["event"], ours["level"]) == ("went_wrong", "error")
    assert (ours["logger"], ours["conversation"]) == ("clinic_chat.ours", "1")
    # A library's words may quote what it was sent.
    assert theirs["event"].startswith("library record at api/test_api_errors.py:")
    assert (theirs["level"], theirs["logger"]) == ("error", "theirs")
    for line in (ours, theirs):
        assert line["exception"] == "RuntimeError from ValueError"
        assert "test_api_errors.py" in line["at"][-1]
    assert not any(value in log_lines.getvalue() for value in ("Maria", "98765"))


async def test_signing_in_is_audited_by_ids(api: ClinicApi, log_lines: StringIO) -> None:
    await api.sign_in()
    await api.sign_in(form={"password": "wrong"})

    records = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    accepted, refused = (record for record in records if record["logger"] == "audit")
    assert accepted["event"] == "sign_in.accepted"
    assert set(accepted) >= {"user", "clinic", "session"}
    assert (refused["event"], refused["address"]) == ("sign_in.refused", "127.0.0.1")
    assert "ana@" not in log_lines.getvalue()


async def test_the_openapi_document_describes_the_api_and_nothing_else(api: ClinicApi) -> None:
    response = await api.client.get("/api/v1/openapi.json")
    document = response.json()
    operation = document["paths"]["/api/v1/inbound"]["post"]

    assert response.status_code == 200
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert operation["security"] == [{"token": []}]
    assert {"200", "201", "400", "401", "413", "415", "422", "429", "503"} <= set(
        operation["responses"]
    )
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
async def test_there_is_no_documentation_site(api: ClinicApi, path: str) -> None:
    assert (await api.client.get(path)).status_code == 404
