// Cleans each text of standard input's JSON list, as the browser does, for test_clean_text.py.

import { cleanText, isVisible } from "../../../assets/live/outbox/clean_text.js";

const texts = JSON.parse(await Bun.stdin.text());
console.log(JSON.stringify(texts.map((text) => [cleanText(text), isVisible(text)])));
