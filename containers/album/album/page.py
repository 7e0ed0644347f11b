"""One page: its photos on a contact sheet. The same photos always give the same bytes."""

from album.contact_sheet import Sheet, Unreadable
from album.store import AlbumStore
from album.thumbnails import Gap, Pictures
from photos.albums import Album
from photos.keys import filename_of


def make_page(album: Album, index: int, pictures: Pictures, store: AlbumStore) -> str:
    """Draw and store a page, counted from 0. Returns what was done. Raises IndexError.

    A photo that cannot be shown leaves a marked gap: one bad photo does not cost anyone the album.
    """
    keys = album.page(index)
    sheet = Sheet(album.title, page=index + 1, page_count=album.page_count, cells=album.photos_per_page)
    gaps = 0
    for cell, key in enumerate(keys):
        caption = filename_of(key)
        picture = pictures.of(key)
        try:
            if not isinstance(picture, Gap):
                sheet.add_picture(cell, caption, picture)
                continue
        except Unreadable:
            picture = Gap("The thumbnail of this photo cannot be read.")
        sheet.add_gap(cell, caption, picture.reason)
        gaps += 1
    store.write_page(album, index, sheet.jpeg())
    return f"{len(keys) - gaps} photos, {gaps} gaps"
