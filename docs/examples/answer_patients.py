"""Answers every message of a conversation's patient, once, whatever happens to the network.

    pip install "python-socketio[asyncio_client]"
    CLINIC_CHAT_URL=https://inbox.example CLINIC_CHAT_TOKEN=cc_… python answer_patients.py \\
        aurora CONVERSATION_ID
"""

import asyncio
import os
import sys

import socketio

clinic, conversation = sys.argv[1:]
namespace = f"/clinic/{clinic}"
client = socketio.AsyncClient()


async def answer(message):
    """Answer one message; the same `clientId` again is the same answer."""
    if message["direction"] != "inbound":
        return
    sent = await client.call(
        "message:send",
        {
            "conversationId": conversation,
            "clientId": f"answer-to-{message['id']}",
            "body": f"Recebemos: {message['body']}",
        },
        namespace=namespace,
    )
    print(sent["message"]["body"] if sent["ok"] else sent["error"], flush=True)


@client.on("connect", namespace=namespace)
async def connected():
    """Join; the answer has what came while we were away."""
    joined = await client.call(
        "conversation:join", {"conversationId": conversation}, namespace=namespace
    )
    if not joined["ok"]:
        raise SystemExit(joined["error"]["message"])
    for message in joined["messages"]:
        await answer(message)


@client.on("message:new", namespace=namespace)
async def received(event):
    """A new message of the conversation."""
    await answer(event["message"])


@client.on("connect_error", namespace=namespace)
async def refused(data):
    """The token does not count: `data` says why."""
    print(data, file=sys.stderr, flush=True)


async def main():
    """Connect, and stay."""
    await client.connect(
        os.environ["CLINIC_CHAT_URL"],
        auth={"token": os.environ["CLINIC_CHAT_TOKEN"]},
        namespaces=[namespace],
        socketio_path="/_event",
        transports=["websocket"],
    )
    await client.wait()


asyncio.run(main())
