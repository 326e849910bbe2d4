// Confirmation dialog: a question that has to be answered before anything else is done.

import { createElement, useEffect, useRef } from "react";

/** `children` in a dialog while `open`; Escape calls `onCancel`. */
export function Question({ open, onCancel, children }) {
  const dialog = useRef(null);

  useEffect(() => {
    if (open) dialog.current.showModal();
    else dialog.current.close();
  }, [open]);

  return createElement(
    "dialog",
    {
      ref: dialog,
      role: "alertdialog",
      className: "confirm-dialog",
      "aria-labelledby": "question-title",
      "aria-describedby": "question-text",
      onCancel(event) {
        event.preventDefault();
        onCancel();
      },
      // Some ways to close a dialog do not ask.
      onClose: open ? onCancel : undefined,
    },
    open ? children : null,
  );
}
