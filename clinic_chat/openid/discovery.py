"""What an identity provider says of itself (OpenID Connect Discovery 1.0)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from clinic_chat.outbound.addresses import checked_url
from clinic_chat.outbound.client import Outbound
from clinic_chat.outbound.errors import OutboundError

PATH = "/.well-known/openid-configuration"
ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures of ID tokens that count."""
SHOWN_ISSUER = 200


class Problem(StrEnum):
    """Why people cannot sign in at a provider whose document could be read."""

    ISSUER_DIFFERS = "issuer_differs"
    NO_CODE_FLOW = "no_code_flow"
    NO_S256 = "no_s256"
    NO_ALGORITHM = "no_algorithm"
    NO_SECRET = "no_secret"  # noqa: S105 - the name of a problem
    """It takes the secret neither in the header nor in the form."""
    ENDPOINT_INVALID = "endpoint_invalid"


class ProviderProblem(Exception):
    """What is wrong with a provider's document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Metadata:
    """The parts of a provider's document that a sign-in needs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    secret_in_form: bool
    """Whether the token endpoint takes the secret in the form alone."""
    tells_issuer: bool
    """Whether its answers name it (RFC 9207)."""


async def read_document(outbound: Outbound, owner: UUID, issuer: str) -> dict[str, Any]:
    """The document of a provider.

    Raises:
        OutboundError: with what went wrong.
    """
    return await outbound.get_json(owner, issuer.rstrip("/") + PATH)


def metadata_of(document: dict[str, Any], issuer: str) -> Metadata:
    """What a sign-in needs of a document.

    Raises:
        ProviderProblem: the first of the document's problems.
    """
    if found := problems_of(document, issuer):
        raise ProviderProblem(found[0])
    methods = _listed(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
    return Metadata(
        issuer=issuer,
        authorization_endpoint=document["authorization_endpoint"],
        token_endpoint=document["token_endpoint"],
        jwks_uri=document["jwks_uri"],
        secret_in_form="client_secret_basic" not in methods,
        tells_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def problems_of(document: dict[str, Any], issuer: str) -> list[Problem]:
    """Everything in a document that keeps people from signing in.

    Who does not say which challenges they take is believed to take S256: it is sent in any case.
    """
    holds = {
        # Exactly, or one provider could speak for another.
        Problem.ISSUER_DIFFERS: document.get("issuer") == issuer,
        Problem.ENDPOINT_INVALID: all(
            _is_endpoint(document.get(name))
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        ),
        Problem.NO_CODE_FLOW: "code" in _listed(document, "response_types_supported", ()),
        Problem.NO_S256: "S256" in _listed(document, "code_challenge_methods_supported", ("S256",)),
        Problem.NO_ALGORITHM: bool(
            set(ALGORITHMS)
            & set(_listed(document, "id_token_signing_alg_values_supported", ALGORITHMS))
        ),
        Problem.NO_SECRET: bool(
            {"client_secret_basic", "client_secret_post"}
            & set(
                _listed(document, "token_endpoint_auth_methods_supported", ("client_secret_basic",))
            )
        ),
    }
    return [problem for problem, fine in holds.items() if not fine]


def issuer_in(document: dict[str, Any]) -> str:
    """The issuer that a document names, cut to what can be shown."""
    return str(document.get("issuer") or "")[:SHOWN_ISSUER]


def _listed(document: dict[str, Any], name: str, missing: tuple[str, ...]) -> list[str]:
    value = document.get(name, list(missing))
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _is_endpoint(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        checked_url(value)
    except OutboundError:
        return False
    return True
