"""The gallery page in a browser: what a person finds on it and does with it, by the names that things have there."""

from pathlib import Path

from playwright.sync_api import Locator, Page


class GalleryPage:
    """The page at `url`, used by somebody who has the API key."""

    def __init__(self, page: Page, url: str, key: str) -> None:
        self.page = page
        self.url = url
        self._key = key
        self.add = page.get_by_role("button", name="Add photos")
        self.cards = page.get_by_role("list", name="Photos, newest first").get_by_role("listitem")
        self.albums = page.get_by_role("list", name="Albums").get_by_role("listitem")
        self.notices = page.locator("#notices").get_by_role("listitem")
        self.large = page.get_by_role("dialog", name="Photo")
        self.key_dialog = page.get_by_role("dialog", name="API key")
        self.problem = page.locator("#trouble")
        self.slow_notice = page.locator("#late")
        self.empty_notice = page.locator("#empty")
        self.served_by = page.locator("#served-by")

    @property
    def thumbnails(self) -> Locator:
        """Of the photos that are ready: buttons, named after their files."""
        return self.cards.locator("button:enabled:has(img)")

    def open(self) -> None:
        """Visit it."""
        # A dialog to choose files is taken from Chromium as long as somebody listens. Told of that only right before
        # a key is pressed, it was too late in 1 of 10 times on a busy machine.
        self.page.on("filechooser", lambda _: None)
        self.page.goto(self.url)
        self.add.wait_for()

    def choose(self, *files: Path) -> None:
        """Choose files to upload, in the dialog that the button opens."""
        with self.page.expect_file_chooser() as chooser:
            self.add.click()
        chooser.value.set_files(files)

    def give_key(self, key: str | None = None) -> None:
        """Answer the question for the API key. key: another one than the right one"""
        self.key_dialog.get_by_label("API key").fill(self._key if key is None else key)
        self.key_dialog.get_by_role("button", name="Use this key").click()

    def upload(self, *files: Path) -> None:
        """Choose files, with the key if it is asked for, which it is once."""
        self.choose(*files)
        if not self.page.evaluate("sessionStorage.apiKey"):
            self.give_key()

    def thumbnail(self, filename: str) -> Locator:
        """Of this photo; a button."""
        return self.thumbnails.and_(self.page.get_by_role("button", name=filename, exact=True))

    def delete(self, filename: str) -> None:
        """By the button on its card."""
        self.thumbnail(filename).hover()
        self.cards.get_by_role("button", name=f"Delete {filename}", exact=True).click()

    def order_album(self, title: str) -> None:
        """Of all photos."""
        self.page.get_by_role("button", name="Make an album").click()
        dialog = self.page.get_by_role("dialog", name="New album")
        dialog.get_by_label("Title").fill(title)
        dialog.get_by_role("button", name="Make it").click()
