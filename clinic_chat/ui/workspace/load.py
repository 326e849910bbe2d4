"""What a tab asks for when it opens, and when its address changes."""

from typing import Any

import reflex as rx

from clinic_chat.realtime.connections import current_connection
from clinic_chat.realtime.gate import exposed
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.thread.state import Thread


class Page(rx.State):
    """The whole screen."""

    @exposed
    async def load(self) -> Any:
        """Bring up who is signed in, the list, and the conversation in the address.

        One event for all: each has a cost of its own, which hundreds of tabs that come back
        together would pay three times.
        """
        connection = current_connection()
        account = await self.get_state(Account)
        await account.fill_in(connection)
        yield
        inbox = await self.get_state(Inbox)
        other_filters = inbox.read_address(self.router.url.query_parameters)
        thread = await self.get_state(Thread)
        # Choosing a filter changes the address too, and nothing of the open conversation.
        if not (other_filters and thread.is_followed(connection)):
            await thread.follow(connection)
        await inbox.send_view(connection)
