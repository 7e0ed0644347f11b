"""Page object for the gallery page: its elements by accessible name, and what users do with them."""

import base64
import mimetypes
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page

# Returns the DataTransfer of a drag with these files: name, content type, and content in base64 each.
_DATA_TRANSFER = """(files) => {
  const data = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  return data;
}"""


class GalleryPage:
    """The gallery page at `url`, for a user who has the API key."""

    def __init__(self, page: Page, url: str, key: str) -> None:
        self.page = page
        self.url = url
        self._key = key
        self.add_button = page.get_by_role("button", name="Add photos")
        self.cards = page.get_by_role("list", name="Photos, newest first").get_by_role("listitem")
        self.albums = page.get_by_role("list", name="Albums").get_by_role("listitem")
        self.notices = page.locator("#notifications").get_by_role("listitem")
        self.lightbox = page.get_by_role("dialog", name="Photo")
        self.key_dialog = page.get_by_role("dialog", name="API key")
        self.problem = page.locator("#load-error")
        self.slow_notice = page.locator("#slow")
        self.empty_notice = page.locator("#empty")
        self.served_by = page.locator("#served-by")

    @property
    def thumbnails(self) -> Locator:
        """The thumbnails of photos that are ready: buttons, named after the files."""
        return self.cards.locator("button:enabled:has(img)")

    def open(self) -> None:
        """Load the page."""
        # Chromium shows its own file dialog unless a listener exists. A listener that was added only right before a key
        # press came too late in 1 of 10 runs on a busy machine.
        self.page.on("filechooser", lambda _: None)
        self.page.goto(self.url)
        self.add_button.wait_for()

    def choose_files(self, *files: Path) -> None:
        """Choose files in the dialog that the upload button opens."""
        with self.page.expect_file_chooser() as chooser:
            self.add_button.click()
        chooser.value.set_files(files)

    def enter_key(self, key: str | None = None) -> None:
        """Enter the API key, or another one, in its dialog."""
        self.key_dialog.get_by_label("API key").fill(self._key if key is None else key)
        self.key_dialog.get_by_role("button", name="Use key").click()

    def upload(self, *files: Path) -> None:
        """Choose files, and enter the key if this is the first upload."""
        self.choose_files(*files)
        if not self.page.evaluate("sessionStorage.apiKey"):
            self.enter_key()

    def drag(self, *files: Path) -> Callable[[], None]:
        """Drag files over the page. Returns a function that drops them."""
        contents = [
            (file.name, mimetypes.guess_type(file.name)[0], base64.b64encode(file.read_bytes()).decode())
            for file in files
        ]
        data = {"dataTransfer": self.page.evaluate_handle(_DATA_TRANSFER, contents)}
        self.page.dispatch_event("main", "dragover", data)
        return lambda: self.page.dispatch_event("main", "drop", data)

    def thumbnail(self, filename: str) -> Locator:
        """Return the thumbnail of a photo: a button."""
        return self.thumbnails.and_(self.page.get_by_role("button", name=filename, exact=True))

    def delete(self, filename: str) -> None:
        """Delete a photo with the button on its card."""
        self.thumbnail(filename).hover()
        self.cards.get_by_role("button", name=f"Delete {filename}", exact=True).click()

    def create_album(self, title: str) -> None:
        """Create an album of all photos."""
        self.page.get_by_role("button", name="Create album").click()
        dialog = self.page.get_by_role("dialog", name="New album")
        dialog.get_by_label("Title").fill(title)
        dialog.get_by_role("button", name="Create", exact=True).click()
