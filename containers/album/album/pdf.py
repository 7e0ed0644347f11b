"""A PDF of pictures: each page is one JPEG, as it is.

Our own forty lines, because libraries keep all pages in memory, or decode and encode each again, or write the time
of day. This holds one page, and the same pages give the same bytes. PDF 1.7 (ISO 32000-1) names what is used:
7.5 file structure, 7.4.8 DCTDecode (a stream that is a JPEG), 8.9.5 image dictionaries.
"""

from io import BytesIO
from typing import IO, Final

from PIL import Image

from album.contact_sheet import DPI

_CATALOG: Final = 1
_PAGES: Final = 2
_INFO: Final = 3
_POINTS_PER_INCH: Final = 72


class PdfWriter:
    """Writes a PDF into a binary file, page by page."""

    def __init__(self, file: IO[bytes], *, title: str) -> None:
        self._file = file
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._next = _INFO + 1
        # The second line is a comment of high bytes, which tells programs that the file is binary.
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        name = b"\xfe\xff" + title.encode("utf-16-be", "replace")
        self._object(_INFO, f"<< /Title <{name.hex()}> >>".encode())

    def add_page(self, jpeg: bytes) -> None:
        """Append a page that is this RGB picture, at its size on paper."""
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as picture:
            width, height = picture.size
        box = f"{width / DPI * _POINTS_PER_INCH:.2f} {height / DPI * _POINTS_PER_INCH:.2f}"
        page, content, image = self._next, self._next + 1, self._next + 2
        self._next += 3
        self._pages.append(page)
        self._object(
            page,
            f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {box}] /Contents {content} 0 R "
            f"/Resources << /XObject << /Picture {image} 0 R >> >> >>".encode(),
        )
        self._stream(content, "", f"{box.replace(' ', ' 0 0 ')} 0 0 cm /Picture Do".encode())
        self._stream(
            image,
            f"/Type /XObject /Subtype /Image /Width {width} /Height {height} "
            "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode ",
            jpeg,
        )

    def close(self) -> None:
        """Write what comes after the last page. The file stays open."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self._object(_PAGES, f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>".encode())
        self._object(_CATALOG, f"<< /Type /Catalog /Pages {_PAGES} 0 R >>".encode())
        table = self._file.tell()
        self._file.write(f"xref\n0 {self._next}\n0000000000 65535 f \n".encode())
        for number in range(1, self._next):
            self._file.write(f"{self._offsets[number]:010} 00000 n \n".encode())
        trailer = f"<< /Size {self._next} /Root {_CATALOG} 0 R /Info {_INFO} 0 R >>"
        self._file.write(f"trailer\n{trailer}\nstartxref\n{table}\n%%EOF\n".encode())

    def _stream(self, number: int, dictionary: str, data: bytes) -> None:
        self._object(number, f"<< {dictionary}/Length {len(data)} >>\nstream\n".encode(), data, b"\nendstream")

    def _object(self, number: int, *parts: bytes) -> None:
        self._offsets[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n".encode())
        for part in parts:
            self._file.write(part)
        self._file.write(b"\nendobj\n")
