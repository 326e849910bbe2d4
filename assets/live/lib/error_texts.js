// What the reader is told for the code of an error. The texts come from
// clinic_chat/ui/i18n/error_texts.py at build time.

import { useCallback } from "react";

import { GENERAL, parameters, texts } from "$/utils/error_texts.js";
import { locale, translate } from "./i18n.js";

/** A function that gives the text of a code, with what the answer told besides it. */
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
