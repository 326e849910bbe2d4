"""Examples of what programs send and get, by the names of the OpenAPI document's schemas."""

from typing import Any

_CONVERSATION_ID = "0190b5a0-7b3c-7def-8123-456789abcdef"
_PATIENT_ID = "0190b59f-11d2-7aa0-9c41-5d2f6a7b8c9d"
_STAFF_ID = "0190a111-2233-7445-8667-788990011223"
_IDENTITY_ID = "0190b59f-11d3-7b10-8a52-1f2e3d4c5b6a"
_MESSAGE: dict[str, Any] = {
    "id": "0190b5a1-0c4d-7e20-8b63-a1b2c3d4e5f6",
    "conversationId": _CONVERSATION_ID,
    "seq": 12,
    "direction": "outbound",
    "authorId": _STAFF_ID,
    "authorName": "Ana Souza",
    "kind": "text",
    "body": "Bom dia, Helena! Quinta às 15h está livre.",
    "bodyLength": 0,
    "clientId": "agenda-2026-11-30-17",
    "status": "delivered",
    "at": "2026-11-30T12:04:31.512Z",
    "receivedAt": "",
    "deliveredAt": "2026-11-30T12:04:33.020Z",
    "readAt": "",
    "failedAt": "",
    "failure": "",
}
_CONVERSATION: dict[str, Any] = {
    "id": _CONVERSATION_ID,
    "version": 17,
    "patientId": _PATIENT_ID,
    "patientName": "Helena Prado",
    "patientPhone": "+5511987654321",
    "channel": "api",
    "status": "open",
    "assigneeId": _STAFF_ID,
    "assigneeName": "Ana Souza",
    "lastSeq": 12,
    "inboundCount": 7,
    "preview": "Bom dia, Helena! Quinta às 15h está livre.",
    "previewKind": "text",
    "previewDirection": "outbound",
    "previewAuthor": "Ana Souza",
    "previewStatus": "delivered",
    "lastActivityAt": "2026-11-30T12:04:31.512Z",
}
_PATIENT: dict[str, Any] = {
    "id": _PATIENT_ID,
    "name": "Helena Prado",
    "otherNames": ["Lena"],
    "phone": "+5511987654321",
    "identities": [
        {
            "id": _IDENTITY_ID,
            "kind": "phone",
            "value": "+5511987654321",
            "shown": "+5511987654321",
            "createdAt": "2026-03-02T13:20:00.000Z",
        }
    ],
    "createdAt": "2026-03-02T13:20:00.000Z",
}
_WEBHOOK: dict[str, Any] = {
    "id": "0190c001-1c2d-7e3f-8a4b-5c6d7e8f9a0b",
    "url": "https://agenda.example/clinic-chat",
    "description": "Agenda",
    "eventTypes": ["message:new", "conversation:updated"],
    "state": "enabled",
    "pending": 0,
    "createdAt": "2026-11-02T09:00:00.000Z",
    "disabledAt": "",
    "failingSince": "",
    "lastAttemptAt": "2026-11-30T12:04:31.900Z",
    "lastStatus": 204,
    "lastError": "",
}
_DELIVERY: dict[str, Any] = {
    "id": "0190c002-2b3c-7d4e-8f50-6a7b8c9d0e1f",
    "type": "message:new",
    "conversationId": _CONVERSATION_ID,
    "seq": 4711,
    "status": "parked",
    "attempts": 14,
    "nextAttemptAt": "",
    "lastStatus": 503,
    "lastError": "status",
    "createdAt": "2026-11-29T12:04:31.512Z",
    "changedAt": "2026-11-30T12:04:31.512Z",
}
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 - of an example
EXAMPLES: dict[str, dict[str, Any]] = {
    "ApiMessage": _MESSAGE,
    "ApiConversation": _CONVERSATION,
    "ApiPatient": _PATIENT,
    "ApiStaffMember": {
        "id": _STAFF_ID,
        "name": "Ana Souza",
        "role": "receptionist",
        "online": True,
    },
    "TokenData": {
        "name": "Agenda",
        "clinic": {
            "id": "01909f00-aaaa-7bbb-8ccc-dddddddddddd",
            "slug": "aurora",
            "name": "Clínica Aurora",
        },
        "permissions": ["conversations.read", "messages.send", "patients.read"],
        "person": {"id": _STAFF_ID, "name": "Ana Souza", "role": "receptionist"},
        "rateLimit": {"deliveriesPerMinute": 6000, "requestsPerMinute": 1200},
    },
    "ConversationPage": {
        "conversations": [_CONVERSATION],
        "nextCursor": f"2026-11-30T12:04:31.512Z_{_CONVERSATION_ID}",
    },
    "MessagePage": {"messages": [_MESSAGE], "lastSeq": 12, "version": 17},
    "PatientPage": {"patients": [_PATIENT], "nextCursor": _PATIENT_ID},
    "Received": {
        "conversationId": _CONVERSATION_ID,
        "message": {
            **_MESSAGE,
            "direction": "inbound",
            "authorId": "",
            "authorName": "Helena Prado",
            "body": "Bom dia! Posso remarcar para quinta?",
            "clientId": "",
            "status": "sent",
            "deliveredAt": "",
        },
    },
    "NewConversation": {"patient": {"name": "Helena Prado", "phone": "+5511987654321"}},
    "ChangedConversation": {"assigneeId": _STAFF_ID, "expectedAssigneeId": ""},
    "NewMessage": {"body": "Bom dia, Helena! Quinta às 15h está livre."},
    "NewPatient": {"name": "Helena Prado", "phone": "+5511987654321", "externalId": "P-1042"},
    "RenamedPatient": {"name": "Helena Prado Lima"},
    "NewIdentity": {"kind": "external", "value": "P-1042"},
    "Merge": {"intoPatientId": _PATIENT_ID},
    "ApiWebhook": _WEBHOOK,
    "ApiDelivery": _DELIVERY,
    "CreatedWebhook": {"webhook": _WEBHOOK, "secret": _SECRET},
    "NewSecret": {"secret": _SECRET},
    "Tested": {"delivered": True, "status": 204, "error": ""},
    "DeliveryList": {"deliveries": [_DELIVERY], "cursor": ""},
    "Replayed": {"replayed": 3},
    "NewWebhookRequest": {
        "url": _WEBHOOK["url"],
        "eventTypes": _WEBHOOK["eventTypes"],
        "description": "Agenda",
    },
    "WebhookChange": {"enabled": False},
    "StatusReport": {"status": "delivered", "at": "2026-11-30T12:04:33Z"},
    "InboundMessage": {
        "patient": {"name": "Helena Prado", "phone": "+5511987654321"},
        "body": "Bom dia! Posso remarcar para quinta?",
        "externalId": "wamid-1",
    },
}
PARAMETERS = {
    "conversation_id": _CONVERSATION_ID,
    "message_id": _MESSAGE["id"],
    "patient_id": _PATIENT_ID,
    "identity_id": _IDENTITY_ID,
    "webhook_id": _WEBHOOK["id"],
    "delivery_id": _DELIVERY["id"],
}
"""Examples of what stands in an address."""
