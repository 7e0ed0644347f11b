"""Accessibility checks of a page: accessible names and contrast."""

from playwright.sync_api import Page

# Minimum contrast of normal text: Web Content Accessibility Guidelines 2.2, 1.4.3.
_MIN_CONTRAST = 4.5

_ELEMENTS_WITHOUT_NAME = """
() => [...document.querySelectorAll("a, button, dialog[open], img, input, progress, ul[role=list]")]
  .filter((element) => element.checkVisibility() && !element.closest("[inert]"))
  .filter((element) => {
    const alt = element.alt ?? element.querySelector("img")?.alt ?? "";
    const label = element.labels?.[0]?.textContent ?? "";
    const text = element.matches("a, button") ? element.textContent : "";
    const name = element.ariaLabel || label || alt || text;
    return !/\\p{L}/u.test(name);
  })
  .map((element) => element.outerHTML)
"""

# Every visible text with its contrast to the nearest opaque background.
_CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    const color = rgba(getComputedStyle(element).backgroundColor);
    return color[3] === 255 || !element.parentElement ? color : behind(element.parentElement);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { parentElement: element, textContent: text } = texts.currentNode;
    if (!text.trim() || !element.checkVisibility({ opacityProperty: true }) || element.closest(":disabled")) continue;
    const [one, other] = [rgba(getComputedStyle(element).color), behind(element)].map(luminance);
    found.push([text.trim(), (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)]);
  }
  return found;
}
"""


def assert_accessible(page: Page) -> None:
    """Assert that every control and image has an accessible name, and every text enough contrast."""
    assert page.evaluate(_ELEMENTS_WITHOUT_NAME) == []
    contrasts: list[tuple[str, float]] = page.evaluate(_CONTRASTS)
    assert contrasts
    assert [(text, contrast) for text, contrast in contrasts if contrast < _MIN_CONTRAST] == []
