"""On a phone it is an app: name, icons, colours, and addresses that answer what they are."""

import json
import struct

import httpx
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.support.people import ANA
from tests.support.servers.server import Server

PNG = b"\x89PNG\r\n\x1a\n"


async def test_the_manifest_names_icons_that_are_there(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as client:
        answer = await client.get("/manifest.webmanifest")
        assert answer.headers["content-type"].startswith("application/manifest+json")
        manifest = json.loads(answer.text)
        assert manifest["display"] == "standalone"
        assert manifest["start_url"] == manifest["scope"] == "/"
        assert manifest["lang"] == "pt-BR"
        assert manifest["name"]
        assert manifest["theme_color"]
        purposes = {icon.get("purpose", "any") for icon in manifest["icons"]}
        assert purposes == {"any", "maskable"}
        paths = {icon["src"]: icon["sizes"] for icon in manifest["icons"]}
        paths["/icons/apple-touch-icon.png"] = "180x180"
        for path, sizes in paths.items():
            image = await client.get(path)
            assert image.status_code == 200
            if path.endswith(".png"):
                assert image.content.startswith(PNG)
                width, height = struct.unpack(">II", image.content[16:24])
                assert f"{width}x{height}" == sizes


async def test_what_browsers_and_crawlers_ask_for_is_answered(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.origin) as client:
        icon = await client.get("/favicon.ico")
        assert icon.content.startswith(b"\x00\x00\x01\x00")
        robots = await client.get("/robots.txt")
        assert robots.headers["content-type"].startswith("text/plain")
        assert "Disallow: /\n" in robots.text


async def test_every_page_fits_a_phone_and_names_no_picture_for_previews(visit: Visit) -> None:
    for who, path in ((None, "/login"), (ANA, "/")):
        page = await visit(who, path)
        viewport = page.locator("meta[name=viewport]")
        await expect(viewport).to_have_count(1)
        await expect(viewport).to_have_attribute(
            "content",
            "width=device-width, initial-scale=1, viewport-fit=cover, "
            "interactive-widget=resizes-content",
        )
        await expect(page.locator("link[rel=manifest]")).to_have_count(1)
        await expect(page.locator("link[rel=apple-touch-icon]")).to_have_count(1)
        await expect(page.locator("meta[property='og:image']")).to_have_count(0)


async def test_the_browsers_bars_have_the_colour_of_the_theme(visit: Visit) -> None:
    page = await visit(ANA, color_scheme="light")
    bars = page.locator("meta[name=theme-color]")
    await expect(bars).to_have_count(2)
    header = (
        "() => getComputedStyle(document.querySelector('.conversation-list-pane')).backgroundColor"
    )
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await expect(page.locator("html")).to_have_class(scheme)
        color = await page.evaluate(header)
        for bar in await bars.all():
            hexadecimal = await bar.get_attribute("content")
            assert hexadecimal
            red, green, blue = bytes.fromhex(hexadecimal.removeprefix("#"))
            assert color == f"rgb({red}, {green}, {blue})"
