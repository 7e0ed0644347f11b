"""The PDF of a hundred pages is written in the memory of one."""

import tracemalloc
from io import BytesIO
from tempfile import TemporaryFile

from pypdf import PdfReader

from album.contact_sheet import Sheet
from album.pdf import PdfWriter


def page() -> bytes:
    return Sheet("Title", page=1, page_count=1, cells=12).jpeg()


def test_pages_are_not_kept_in_memory() -> None:
    jpeg = page() + b"\0" * 1_000_000  # what follows the end of a JPEG is part of the stream
    with TemporaryFile() as file:
        tracemalloc.start()
        try:
            pdf = PdfWriter(file, title="")
            for _ in range(50):
                pdf.add_page(jpeg)
            pdf.close()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert file.tell() > 50_000_000
        assert peak < 4_000_000


def test_every_object_is_where_the_table_says() -> None:
    file = BytesIO()
    pdf = PdfWriter(file, title="Any (title) \\ <")
    for _ in range(12):
        pdf.add_page(page())
    pdf.close()
    data = file.getvalue()
    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    lines = data[start:].split(b"\n")
    for number, line in enumerate(lines[3 : 2 + int(lines[1].split()[1])], start=1):
        assert data[int(line[:10]) :].startswith(b"%d 0 obj\n" % number)
        assert len(line) == 19  # and the line end makes 20, as the format demands
    assert len(PdfReader(file, strict=True).pages) == 12
