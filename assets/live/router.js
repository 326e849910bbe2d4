// Lets browser modules go to another address of the app.

let navigate = () => {};

export function navigateWith(next) {
  navigate = next;
}

export const goTo = (path) => navigate(path);
