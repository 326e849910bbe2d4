// Lets browser modules go to another address of the app.

let navigate = () => {};

export function navigateWith(next) {
  navigate = next;
}

/** Go to an address; with `replace` it takes the present one's place in the history. */
export const goTo = (path, options) => navigate(path, options);

// `/` and `/c/<conversation>` are one screen (clinic_chat/ui/workspace/page.py).
const WORKSPACE = /^\/(c\/[^/]+\/?)?$/;

/** Whether two addresses are of the same screen, which loads what differs by itself. */
export const isSameScreen = (one, other) =>
  WORKSPACE.test(one.pathname) && WORKSPACE.test(other.pathname);
