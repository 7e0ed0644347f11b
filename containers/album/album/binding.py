"""The binding of an album: all its pages, in order, as one PDF."""

from tempfile import TemporaryFile

from album.pdf import PdfWriter
from album.store import AlbumStore
from photos.albums import Album


def bind(album: Album, store: AlbumStore) -> str:
    """Write the PDF from the stored pages, one at a time. Returns a summary. Raises ObjectNotFound."""
    with TemporaryFile() as file:
        pdf = PdfWriter(file, title=album.title)
        for index in range(album.page_count):
            pdf.add_page(store.page(album, index))
        pdf.close()
        size = file.tell()
        file.seek(0)
        store.write_pdf(album, file)
    return f"{album.page_count} pages, {size} bytes"
