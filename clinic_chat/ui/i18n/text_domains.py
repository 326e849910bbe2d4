"""Text domains: which screens load which catalog, so that no page begins with the texts of all."""

from enum import StrEnum


class TextDomain(StrEnum):
    """The screens that load a catalog; a text is in the first domain that uses it."""

    MAIN = "main"
    """Everything that is not named below. Loaded first, before anything is shown."""
    SIGN_IN = "sign_in"
    """Signing in, joining, setting up."""
    SETTINGS = "settings"
    """The settings screens, which load the catalog of `SIGN_IN` too."""

    @property
    def module(self) -> str:
        """The path of the domain's JavaScript module in the build."""
        return f"utils/catalogs/{self}.js"
