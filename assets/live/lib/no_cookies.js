// The cookies of Reflex's states, of which there are none, in place of a library that reads and
// writes them (clinic_chat/ui/build/vite_config.py).

export default class Cookies {
  get() {}
  set() {}
  remove() {}
}
