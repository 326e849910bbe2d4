// Router access: lets browser modules navigate to addresses of the app.

let navigate = () => {};

export function navigateWith(next) {
  navigate = next;
}

/** Go to an address; with `replace` it replaces the current one in the history. */
export const goTo = (path, options) => navigate(path, options);

/** Load another page anew, as when what this one may show has changed. */
export const loadPage = (path) => window.location.assign(path);

// `/` and `/c/<conversation>` are one screen (clinic_chat/ui/workspace/page.py).
const WORKSPACE = /^\/(c\/[^/]+\/?)?$/;

/** Whether two addresses belong to the same screen, which loads the difference itself. */
export const isSameScreen = (one, other) =>
  WORKSPACE.test(one.pathname) && WORKSPACE.test(other.pathname);
