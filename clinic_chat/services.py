"""The services that all parts of one process share."""

from dataclasses import dataclass, field

from clinic_chat.cache.hybrid import HybridCache, create_cache
from clinic_chat.domain.accounts.api_tokens import Tokens
from clinic_chat.domain.accounts.sessions import Sessions
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.openid.client import OpenId
from clinic_chat.outbound.client import Outbound
from clinic_chat.process_channel import ProcessChannel
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.web.rate_limits import Limits


@dataclass
class Services:
    """What a process works with: database, cache, sessions, tokens, sends, limits, requests, …

    They connect at their first use.
    """

    settings: Settings
    database: Database = field(init=False)
    sessions: Sessions = field(init=False)
    tokens: Tokens = field(init=False)
    sends: Sends = field(init=False)
    limits: Limits = field(init=False)
    channel: ProcessChannel = field(init=False)
    cache: HybridCache = field(init=False)
    openid: OpenId = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database(self.settings.database_url)
        self.sessions = Sessions(self.database, self.settings)
        self.tokens = Tokens(self.database)
        self.sends = Sends(self.database)
        self.limits = Limits(self.settings.redis_url)
        self.channel = ProcessChannel(self.settings.redis_url, self.settings.signing_key())
        self.cache = create_cache(self.settings, self.channel.name)
        self.openid = OpenId(
            Outbound(self.settings.outbound_private_hosts, self.settings.outbound_ca_file)
        )

    async def close(self) -> None:
        """Close every connection."""
        self.openid.outbound.close()
        await self.limits.close()
        await self.cache.close()
        await self.database.close()
