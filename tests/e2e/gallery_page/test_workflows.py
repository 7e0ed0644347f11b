"""What people do on the gallery page, by mouse, by keyboard and on a phone."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Request, Route, expect
from pypdf import PdfReader

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.accessibility import nameless, too_faint
from tests.e2e.gallery_page.page_state import (
    COFFEE,
    RETINA,
    ROCKET,
    UPLOADS,
    eventually,
    in_service,
    loaded,
    picture,
)
from tools.browser import HOW_TO_GET_ONE, installed_browser
from tools.gallery_page import GalleryPage
from tools.screenshot import MAX_BYTES, take

pytestmark = pytest.mark.skipif(installed_browser() is None, reason=HOW_TO_GET_ONE)
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


def test_complete_visit(gallery: GalleryPage, sandbox: Sandbox, broken: Path) -> None:
    page, troubles = gallery.page, []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()
    expect(page.get_by_text("Served by ECS on ")).to_be_visible()
    picture(gallery, "empty")

    gallery.choose(ROCKET, COFFEE, RETINA, broken)
    expect(gallery.key_dialog).to_contain_text("make key")
    expect(gallery.key_dialog).to_contain_text("allowed_cidr is what keeps others out")
    picture(gallery, "key")
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(3)
    expect(gallery.cards.filter(has_text="holiday.jpg: This file is not a supported image")).to_have_count(1)
    images = gallery.thumbnails.get_by_role("img")
    eventually(gallery, lambda: all("other-compute-thumbnails" in loaded(image) for image in images.all()))
    picture(gallery, "photos")

    gallery.thumbnail("coffee-turned.jpg").click()
    large = gallery.large.get_by_role("img", name="coffee-turned.jpg")
    eventually(gallery, lambda: large.evaluate("image => image.naturalWidth") == 600)  # upright
    picture(gallery, "large")
    gallery.large.get_by_role("button", name="Close").click()

    gallery.order_album("Café & cake")
    album = gallery.albums.filter(has_text="Café & cake")
    expect(album.get_by_role("progressbar")).to_be_visible()
    picture(gallery, "album-in-the-works")
    page.reload()
    link = album.get_by_role("link", name="Open the PDF")
    expect(link).to_be_visible()
    picture(gallery, "album")
    pdf = page.request.get(link.get_attribute("href") or "")
    assert pdf.headers["content-type"] == "application/pdf"
    book = PdfReader(io.BytesIO(pdf.body()))
    assert len(book.pages) == 1 and book.metadata and book.metadata.title == "Café & cake"
    another = GalleryPage(page.context.new_page(), gallery.url, key="")  # a tab of the same browser
    another.open()
    expect(another.albums.filter(has_text="Café & cake").get_by_role("link", name="Open the PDF")).to_be_visible()
    another.page.close()

    gallery.delete("rocket.jpg")
    gallery.notices.get_by_role("button", name="Close").click()
    eventually(gallery, lambda: "rocket.jpg" not in in_service(sandbox))
    page.reload()
    expect(gallery.thumbnails).to_have_count(2)
    assert troubles == []


def test_deletion_can_be_undone(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.delete("rocket.jpg")
    expect(gallery.cards).to_have_count(0)
    picture(gallery, "undo")
    expect(gallery.notices.filter(has_text="Ctrl+Z brings it back.")).to_have_count(1)
    gallery.notices.get_by_role("button", name="Undo").click()
    expect(gallery.thumbnail("rocket.jpg")).to_be_focused()
    gallery.page.reload()
    expect(gallery.thumbnails).to_have_count(1)
    assert in_service(sandbox) == {"rocket.jpg": "ready"}


def test_photo_is_deleted_after_the_undo_period(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.mouse.move(0, 0)  # nobody points at the notice
    gallery.delete("rocket.jpg")
    gallery.page.mouse.move(0, 0)
    expect(gallery.notices.filter(has_text="rocket.jpg is deleted.")).to_be_visible()
    assert in_service(sandbox) == {"rocket.jpg": "ready"}
    expect(gallery.notices.filter(has_text="rocket.jpg is deleted.")).to_have_count(0)
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_photo_is_deleted_when_the_page_closes(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.delete("rocket.jpg")
    gallery.page.goto("about:blank")
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_keyboard_only(gallery: GalleryPage, sandbox: Sandbox) -> None:
    keyboard, page = gallery.page.keyboard, gallery.page
    keyboard.press("Tab")
    expect(gallery.add).to_be_focused()
    with page.expect_file_chooser() as chooser:
        keyboard.press("Enter")
    chooser.value.set_files([ROCKET, COFFEE, RETINA])
    expect(gallery.key_dialog.get_by_label("API key")).to_be_focused()
    keyboard.type(sandbox.api_key())
    keyboard.press("Enter")
    expect(gallery.thumbnails).to_have_count(3)

    keyboard.press("Tab")
    expect(gallery.thumbnail("rocket.jpg")).to_be_focused()
    keyboard.press("Enter")
    for pressed, shown in (
        ("ArrowRight", "coffee-turned.jpg"),
        ("ArrowRight", "retina.jpg"),
        ("ArrowRight", "retina.jpg"),
        ("ArrowLeft", "coffee-turned.jpg"),
    ):
        keyboard.press(pressed)
        expect(gallery.large.get_by_role("heading")).to_have_text(shown)
    keyboard.press("Escape")
    expect(gallery.large).to_be_hidden()
    expect(gallery.thumbnail("coffee-turned.jpg")).to_be_focused()

    keyboard.press("Tab")
    keyboard.press("Enter")  # delete
    expect(gallery.thumbnail("retina.jpg")).to_be_focused()
    expect(gallery.thumbnails).to_have_count(2)
    keyboard.press("Control+z")
    expect(gallery.thumbnail("coffee-turned.jpg")).to_be_focused()
    expect(gallery.thumbnails).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_layout(visit: Callable[..., GalleryPage], broken: Path, scheme: str) -> None:
    gallery = visit(**PHONE, color_scheme=scheme)
    gallery.upload(ROCKET, COFFEE, RETINA, broken)
    expect(gallery.thumbnails).to_have_count(3)
    expect(gallery.cards.filter(has_text="This is not an image")).to_have_count(1)
    assert gallery.page.evaluate("document.documentElement.scrollWidth") == 390
    picture(gallery, f"phone-{scheme}")
    gallery.thumbnail("retina.jpg").tap()
    expect(gallery.large).to_be_visible()
    for button in gallery.large.get_by_role("button").all():
        box = button.bounding_box()
        assert box and box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
    picture(gallery, f"phone-{scheme}-large")
    gallery.large.get_by_role("button", name="Delete").tap()
    expect(gallery.thumbnails).to_have_count(2)
    gallery.notices.get_by_role("button", name="Undo").tap()
    expect(gallery.thumbnails).to_have_count(3)


def test_upload_can_be_canceled(gallery: GalleryPage, sandbox: Sandbox) -> None:
    held: list[Route] = []
    gallery.page.route(UPLOADS, lambda route: held.append(route))
    gallery.upload(ROCKET)
    eventually(gallery, lambda: bool(held))
    gallery.cards.get_by_role("button", name="Delete rocket.jpg").click()
    expect(gallery.cards).to_have_count(0)
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_files_can_be_dropped_on_the_page(gallery: GalleryPage) -> None:
    photo = base64.b64encode(ROCKET.read_bytes()).decode()
    data = gallery.page.evaluate_handle(
        """(photo) => {
          const bytes = Uint8Array.from(atob(photo), (character) => character.charCodeAt(0));
          const data = new DataTransfer();
          for (const name of ["one.jpg", "two.jpg"]) data.items.add(new File([bytes], name, { type: "image/jpeg" }));
          return data;
        }""",
        photo,
    )
    gallery.page.dispatch_event("main", "dragover", {"dataTransfer": data})
    picture(gallery, "drop")
    gallery.page.dispatch_event("main", "drop", {"dataTransfer": data})
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(2)


def test_page_warns_before_closing_with_pending_files(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET)
    gallery.key_dialog.get_by_role("button", name="Not now").click()
    with gallery.page.expect_event("dialog") as asked:
        gallery.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(gallery.cards.filter(has_text="rocket.jpg: This needs the API key.")).to_have_count(1)


def test_page_shows_lightsail_as_its_server(gallery: GalleryPage) -> None:
    gallery.page.route(
        "**/whoami", lambda route: route.fulfill(json={"launch_type": "LIGHTSAIL", "task": None, "zone": None})
    )
    gallery.page.reload()
    expect(gallery.page.get_by_text("Served by Amazon Lightsail", exact=True)).to_be_visible()


def test_scrolling_loads_older_photos(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    many(sandbox, 150)
    asked: list[Request] = []
    gallery.page.on("request", lambda request: asked.append(request) if "/photos?" in request.url else None)
    gallery.page.reload()
    expect(gallery.cards).to_have_count(60)
    for shown in (120, 151):
        gallery.cards.last.scroll_into_view_if_needed()
        expect(gallery.cards).to_have_count(shown)
    expect(gallery.page.get_by_role("button", name="More photos")).to_be_hidden()
    names = [image.get_attribute("alt") for image in gallery.cards.get_by_role("img").all()]
    assert names == ["rocket.jpg", *(f"{number:03}.jpg" for number in range(150))]
    assert len(asked) == 3


def many(sandbox: Sandbox, number: int) -> None:
    """Photos that are older than the one in the catalogue, each older than the one before, with the same thumbnails."""
    table, dynamodb = sandbox.outputs["Thumbnails"]["CatalogueTable"], sandbox.client("dynamodb")
    (item,) = dynamodb.scan(TableName=table)["Items"]
    for index in range(number):
        changed = {
            "key": {"S": f"old/{index:03}.jpg"},
            "id": {"S": f"{index:032x}"},
            "created_at": {"S": f"2020-01-01T00:{59 - index // 60:02}:{59 - index % 60:02}.000Z"},
        }
        dynamodb.put_item(TableName=table, Item=item | changed)


def test_readme_screenshot(browser: Browser, sandbox: Sandbox, tmp_path: Path) -> None:
    take(sandbox, browser, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as taken, Image.open(ROOT / "docs" / "gallery.png") as kept:
        assert (taken.format, taken.size) == ("PNG", kept.size)
    assert (ROOT / "docs" / "gallery.png").stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_names_and_contrast(visit: Callable[..., GalleryPage], broken: Path, scheme: str) -> None:
    gallery = visit(color_scheme=scheme)
    gallery.choose(ROCKET, broken)
    assert nameless(gallery.page) == [] and too_faint(gallery.page) == []
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(1)
    expect(gallery.cards.filter(has_text="This is not an image")).to_have_count(1)
    picture(gallery, f"photos-{scheme}")
    gallery.delete("rocket.jpg")
    assert nameless(gallery.page) == [] and too_faint(gallery.page) == []
    gallery.notices.get_by_role("button", name="Undo").click()
    gallery.order_album("An album")
    expect(gallery.albums.get_by_role("link", name="Open the PDF")).to_be_visible()
    gallery.page.get_by_role("button", name="Make an album").click()
    picture(gallery, f"new-album-{scheme}")
    assert nameless(gallery.page) == [] and too_faint(gallery.page) == []
    gallery.page.keyboard.press("Escape")
    gallery.thumbnail("rocket.jpg").click()
    assert nameless(gallery.page) == [] and too_faint(gallery.page) == []
