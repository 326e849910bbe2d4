"""What a person sees and does in a browser that Selenium drives."""

from selenium.common.exceptions import JavascriptException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 20
CHECK_SECONDS = 0.03
# Of what is not rendered at all, innerText is the whole text; a page that begins has no body.
_SEEN = """
const root = document.documentElement;
return getComputedStyle(root).display === "none" ? "" : (document.body?.innerText ?? "");
"""
_ROWS = """
return [...document.querySelectorAll("[data-testid=conversation-row]")]
  .find((row) => row.textContent.includes(arguments[0]))?.querySelector("a");
"""
_MESSAGE_IS = """
const [text, status] = arguments;
const found = [...document.querySelectorAll("[data-testid=message]")]
  .filter((message) => message.querySelector(".message-body").textContent === text);
return found.length === 1 && found[0].dataset.status === status;
"""
_ATTRIBUTE_IS = """
const [selector, name, value] = arguments;
return document.querySelector(selector)?.getAttribute(name) === value;
"""
_MENU_ITEMS = "return [...document.querySelectorAll('[role=menu] [role=menuitem]')]"
_TOUCH = "return matchMedia('(pointer: coarse)').matches"
_LAYOUT = """
const root = document.documentElement;
const box = document.querySelector("[data-testid=composer] textarea").getBoundingClientRect();
return {page: root.scrollWidth, window: root.clientWidth, box: box.width,
  panes: [...document.querySelectorAll(".conversation-list-pane, .thread-pane, .patient-panel")]
    .filter((pane) => getComputedStyle(pane).display !== "none").length};
"""

COMPOSER = "[data-testid=composer] textarea"
SEND = "[data-testid=send]"
BADGE = "[data-testid=connection-badge]"
STATUS = "[data-testid=status]"
ACCOUNT = ".conversation-list-header button[aria-haspopup=menu]"
RETRY = ".connection-retry"
FAILED = "[data-testid=failed-part]"


class Person:
    """Somebody in front of one of the other browsers."""

    def __init__(self, browser: WebDriver) -> None:
        self.browser = browser
        self._wait = WebDriverWait(browser, PATIENCE_SECONDS, CHECK_SECONDS)

    def until(self, what: str, script: str, *arguments: object) -> None:
        """Return when a script answers with something true; `what` is for the failure."""
        self._wait.until(lambda browser: browser.execute_script(script, *arguments), what)

    def sign_in(self, email: str, password: str) -> None:
        """Fill in the sign-in form and send it."""
        self.find("input[name=email]").send_keys(email)
        self.find("input[name=password]").send_keys(password)
        self.find("button[type=submit]").click()

    def find(self, selector: str) -> WebElement:
        """The element, as soon as it is there to be used."""
        found: WebElement = self._wait.until(  # type: ignore[assignment]
            lambda browser: next(
                (e for e in browser.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()),
                False,
            ),
            selector,
        )
        return found

    def badge_is(self, status: str) -> None:
        """Return when the connection badge has this status."""
        self.attribute_is(BADGE, "data-status", status)

    def attribute_is(self, selector: str, name: str, value: str) -> None:
        """Return when an element's attribute has this value."""
        self.until(f"{selector} {name}={value}", _ATTRIBUTE_IS, selector, name, value)

    def open_row(self, patient: str) -> None:
        """Click a patient's row and wait for the messages."""
        self.until(f"a row of {patient}", _ROWS, patient)
        self.browser.execute_script(_ROWS, patient).click()
        self.find(COMPOSER)

    def write(self, text: str) -> None:
        """Write to the patient; send as one does on such a device."""
        box = self.find(COMPOSER)
        box.send_keys(text)
        if self.browser.execute_script(_TOUCH):
            self.find(SEND).click()
        else:
            box.send_keys(Keys.ENTER)

    def message_is(self, text: str, status: str) -> None:
        """Return when there is exactly one message with this text, with this status."""
        self.until(f"{text!r} once, {status}", _MESSAGE_IS, text, status)

    def choose(self, button: str, number: int) -> None:
        """Open the menu of a button and choose an item; negative numbers count from the end."""
        self.until("no menu", "return !document.querySelector('[role=menu]')")
        self.find(button).click()
        self.until("a menu", f"{_MENU_ITEMS}.length > 0")
        self.browser.execute_script(_MENU_ITEMS)[number].click()

    def seen(self) -> str:
        """All text that the page shows."""
        try:
            return self.browser.execute_script(_SEEN) or ""
        except JavascriptException:
            # The page went away meanwhile, and what it showed with it.
            return ""

    def poll_from_now_on(self) -> None:
        """Load the page again as one whose last connection was by polling."""
        self.browser.execute_script("sessionStorage['clinic-chat:transport'] = 'polling'")
        self.browser.refresh()

    def layout(self) -> dict[str, int]:
        """Widths in CSS pixels of page, window and message box, and how many panes show."""
        layout: dict[str, int] = self.browser.execute_script(_LAYOUT)
        return layout
