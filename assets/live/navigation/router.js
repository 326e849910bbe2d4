// Lets browser modules go to another address of the app.

let navigate = () => {};

export function navigateWith(next) {
  navigate = next;
}

/** Go to an address; with `replace` it takes the present one's place in the history. */
export const goTo = (path, options) => navigate(path, options);
