// Text cleaning by the server's rules (clinic_chat/domain/characters.py): removed characters, and
// empty text; a test compares the two.

const LINE_BREAKS = /\r\n|[\r\v\f\x85\u2028\u2029]/g;
const DROPPED = /[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]/g;
const LONE_SURROGATES = /\p{Cs}/gu;
const UNSEEN =
  /^[\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]*$/u;

/** `text` with "\n" for every line break, without unsafe characters (lone surrogates as U+FFFD). */
export const cleanText = (text) =>
  text.replace(LINE_BREAKS, "\n").replace(DROPPED, "").replace(LONE_SURROGATES, "\ufffd");

/** Whether `text` has a visible character. */
export const isVisible = (text) => !UNSEEN.test(text);
