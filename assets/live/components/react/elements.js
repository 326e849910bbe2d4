// Element factory of the pages, in place of Emotion (clinic_chat/ui/build/vite_config.py).

export { createElement as jsx } from "react";
