// Failed delivery: actions for a message that did not reach the patient (send again, call).

import { createElement } from "react";

import { CopyButton } from "../components/clipboard.js";
import { useTranslate } from "../lib/i18n.js";
import * as inbox from "../inbox/inbox.js";
import * as outbox from "../outbox/outbox.js";

export function FailedDelivery({ messageId, conversationId, body, resent }) {
  const t = useTranslate();
  const { patient_phone: phone, patient_phone_shown: shown } = inbox.item(conversationId) ?? {};
  return createElement(
    "span",
    { className: "message-ways-out" },
    resent
      ? createElement("span", { className: "text-quiet" }, t("Sent again below"))
      : createElement(
          "button",
          {
            type: "button",
            className: "text-button",
            onClick: () => outbox.sendAgain(conversationId, messageId, body),
          },
          t("Send again"),
        ),
    phone && createElement("a", { className: "text-button", href: `tel:${phone}` }, t("Call")),
    phone && createElement(CopyButton, { text: shown, label: t("Copy the number"), brief: false }),
  );
}
