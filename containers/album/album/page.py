"""Makes one page of an album: a contact sheet of its photos. The same photos always produce the same bytes."""

from album.contact_sheet import ContactSheet, InvalidImage
from album.store import AlbumStore
from album.thumbnails import MissingThumbnail, ThumbnailReader
from photos.albums import Album
from photos.keys import filename_of


def make_page(album: Album, index: int, reader: ThumbnailReader, store: AlbumStore) -> str:
    """Draw and store a page. A photo without a thumbnail becomes a placeholder, so that it does not fail the album.

    Args:
        album: The album.
        index: Number of the page, from 0.
        reader: Source of the thumbnails.
        store: Destination of the page.

    Returns:
        A summary for the log.

    Raises:
        IndexError: The album has no such page.
    """
    keys = album.page(index)
    sheet = ContactSheet(album.title, page=index + 1, page_count=album.page_count, cells=album.photos_per_page)
    missing = 0
    for cell, key in enumerate(keys):
        caption = filename_of(key)
        thumbnail = reader.read(key)
        try:
            if not isinstance(thumbnail, MissingThumbnail):
                sheet.add_image(cell, caption, thumbnail)
                continue
        except InvalidImage:
            thumbnail = MissingThumbnail("The thumbnail of this photo cannot be read.")
        sheet.add_placeholder(cell, caption, thumbnail.reason)
        missing += 1
    store.write_page(album, index, sheet.jpeg())
    return f"{len(keys) - missing} photos, {missing} missing"
