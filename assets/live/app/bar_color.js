// Theme colour: the colour of the browser's bars around the page.

/** Keep both colours (clinic_chat/ui/components/theme.py) right in a theme that a person chose. */
export function followTheme() {
  const bars = [...document.querySelectorAll("meta[name=theme-color]")];
  if (bars.length === 0) return () => {};
  const colors = new Map(bars.map(({ dataset, content }) => [dataset.scheme, content]));
  const show = () => {
    const { classList } = document.documentElement;
    const chosen = ["light", "dark"].find((theme) => classList.contains(theme));
    for (const bar of bars) bar.content = colors.get(chosen) ?? bar.content;
  };
  const themes = new MutationObserver(show);
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  show();
  return () => themes.disconnect();
}
