"""A sign-in at a provider, as this server sees it: where to send somebody, and who comes back."""

from dataclasses import dataclass
from uuid import UUID

from clinic_chat.cache.single_flight import SingleFlightCache
from clinic_chat.openid.code_flow import Attempt, Client, authorization_address, exchange_code
from clinic_chat.openid.discovery import Metadata, metadata_of, read_document
from clinic_chat.openid.id_tokens import Claims, verified_claims
from clinic_chat.outbound.client import Outbound

# A clinic's people often come together, and anybody may begin.
METADATA_SECONDS = 60.0


@dataclass(frozen=True)
class ProviderClient:
    """A clinic's provider, and what the clinic has registered there."""

    clinic_id: UUID
    issuer: str
    client: Client


class OpenId:
    """Speaks with providers; what they say of themselves is kept for a minute."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self._metadata: SingleFlightCache[Metadata] = SingleFlightCache("openid", METADATA_SECONDS)

    async def begin(self, provider: ProviderClient, attempt: Attempt) -> str:
        """The address at the provider to which somebody is sent.

        Raises:
            OutboundError: the provider cannot be asked.
            ProviderProblem: nobody can sign in there.
        """
        return authorization_address(await self.metadata(provider), provider.client, attempt)

    async def finish(self, provider: ProviderClient, attempt: Attempt, code: str) -> Claims:
        """Who came back with `code`.

        Raises:
            OutboundError: the provider cannot be asked, or the code does not count.
            ProviderProblem: nobody can sign in there.
            InvalidIdToken: what the provider says is not right.
        """
        metadata = await self.metadata(provider)
        owner = provider.clinic_id
        answer = await exchange_code(
            self.outbound,
            owner,
            metadata,
            provider.client,
            code=code,
            verifier=attempt.verifier,
        )
        # Not kept, so that a key counts as long as the provider has it.
        keys = await self.outbound.get_json(owner, metadata.jwks_uri)
        return verified_claims(
            answer.get("id_token"),
            keys,
            issuer=provider.issuer,
            client_id=provider.client.client_id,
            nonce=attempt.nonce,
        )

    async def metadata(self, provider: ProviderClient) -> Metadata:
        """What the provider says of itself.

        Raises:
            OutboundError: the provider cannot be asked.
            ProviderProblem: nobody can sign in there.
        """
        owner, issuer = provider.clinic_id, provider.issuer

        async def read() -> Metadata:
            return metadata_of(await read_document(self.outbound, owner, issuer), issuer)

        return await self._metadata.get((owner, issuer), read)
