// What the pages make their elements with, in the place of Emotion (clinic_chat/ui/build/plugin.py).

export { createElement as jsx } from "react";
