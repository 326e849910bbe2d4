// Error texts: the text for an error's code in the reader's language. The texts come from
// clinic_chat/ui/i18n/error_texts.py at build time.

import { useCallback } from "react";

import { GENERAL, parameters, texts } from "$/utils/error_texts.js";
import { locale, translate } from "./i18n.js";

/** A function that returns the text for a code, given further values of the server's answer. */
export function useErrorText() {
  const language = locale.use();
  return useCallback(
    (code, told) =>
      translate(language, texts[Object.hasOwn(texts, code) ? code : GENERAL], {
        ...parameters[code],
        ...told,
      }),
    [language],
  );
}
