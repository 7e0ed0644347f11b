"""Workflows of visitors on the gallery page, with mouse, keyboard, and phone."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Browser, Request, Route, expect
from pypdf import PdfReader

from local.sandbox import Sandbox
from tests.e2e.gallery_page.accessibility import assert_accessible
from tests.e2e.gallery_page.page_state import UPLOADS, eventually, image_source, photo_states, save_screenshot
from tests.e2e.photos import COFFEE, RETINA, ROCKET
from tools.gallery_page import GalleryPage
from tools.screenshot import ANIMATION, MAX_BYTES, record

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture
def rocket_gallery(gallery: GalleryPage) -> GalleryPage:
    """The page with one photo."""
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    return gallery


def test_visitor_uploads_views_and_deletes_photos(gallery: GalleryPage, sandbox: Sandbox, corrupt_photo: Path) -> None:
    page, errors = gallery.page, []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    expect(gallery.empty_notice).to_be_visible()
    expect(gallery.served_by).to_contain_text("ECS on ")
    save_screenshot(gallery, "empty")

    gallery.choose_files(ROCKET, COFFEE, RETINA, corrupt_photo)
    expect(gallery.key_dialog).to_contain_text("make key")
    expect(gallery.key_dialog).to_contain_text("allowed_cidr")
    save_screenshot(gallery, "key")
    gallery.enter_key()
    expect(gallery.thumbnails).to_have_count(3)
    expect(gallery.cards.filter(has_text=re.compile(r"holiday\.jpg: .*image"))).to_have_count(1)
    images = gallery.thumbnails.get_by_role("img")
    eventually(gallery, lambda: all("other-compute-thumbnails" in image_source(image) for image in images.all()))
    save_screenshot(gallery, "photos")

    gallery.thumbnail("coffee-turned.jpg").click()
    large = gallery.lightbox.get_by_role("img", name="coffee-turned.jpg")
    eventually(gallery, lambda: large.evaluate("image => image.naturalWidth") == 600)  # upright
    save_screenshot(gallery, "large")
    gallery.lightbox.get_by_role("button", name="Close").click()

    gallery.create_album("Café & cake")
    album = gallery.albums.filter(has_text="Café & cake")
    expect(album.get_by_role("progressbar")).to_be_visible()
    save_screenshot(gallery, "album-in-progress")
    page.reload()
    link = album.get_by_role("link")
    expect(link).to_be_visible()
    save_screenshot(gallery, "album")
    pdf = page.request.get(link.get_attribute("href") or "")
    assert pdf.headers["content-type"] == "application/pdf"
    book = PdfReader(io.BytesIO(pdf.body()))
    assert len(book.pages) == 1 and book.metadata and book.metadata.title == "Café & cake"
    other_tab = GalleryPage(page.context.new_page(), gallery.url, key="")
    other_tab.open()
    expect(other_tab.albums.filter(has_text="Café & cake").get_by_role("link")).to_be_visible()
    other_tab.page.close()

    gallery.delete("rocket.jpg")
    gallery.notices.get_by_role("button", name="Close").click()
    eventually(gallery, lambda: "rocket.jpg" not in photo_states(sandbox))
    page.reload()
    expect(gallery.thumbnails).to_have_count(2)
    assert errors == []


def test_deletion_can_be_undone(rocket_gallery: GalleryPage, sandbox: Sandbox) -> None:
    rocket_gallery.delete("rocket.jpg")
    expect(rocket_gallery.cards).to_have_count(0)
    save_screenshot(rocket_gallery, "undo")
    expect(rocket_gallery.notices.filter(has_text="Ctrl+Z")).to_have_count(1)
    rocket_gallery.notices.get_by_role("button", name="Undo").click()
    expect(rocket_gallery.thumbnail("rocket.jpg")).to_be_focused()
    rocket_gallery.page.reload()
    expect(rocket_gallery.thumbnails).to_have_count(1)
    assert photo_states(sandbox) == {"rocket.jpg": "ready"}


def test_photo_is_deleted_after_the_undo_period(rocket_gallery: GalleryPage, sandbox: Sandbox) -> None:
    rocket_gallery.page.mouse.move(0, 0)  # The notice stays while the pointer is on it.
    rocket_gallery.delete("rocket.jpg")
    rocket_gallery.page.mouse.move(0, 0)
    expect(rocket_gallery.notices.filter(has_text="rocket.jpg")).to_be_visible()
    assert photo_states(sandbox) == {"rocket.jpg": "ready"}
    expect(rocket_gallery.notices.filter(has_text="rocket.jpg")).to_have_count(0)
    eventually(rocket_gallery, lambda: photo_states(sandbox) == {})


def test_photo_is_deleted_when_the_page_closes(rocket_gallery: GalleryPage, sandbox: Sandbox) -> None:
    rocket_gallery.delete("rocket.jpg")
    rocket_gallery.page.goto("about:blank")
    eventually(rocket_gallery, lambda: photo_states(sandbox) == {})


def test_page_works_with_the_keyboard_only(gallery: GalleryPage, sandbox: Sandbox) -> None:
    keyboard, page = gallery.page.keyboard, gallery.page
    keyboard.press("Tab")
    expect(gallery.add_button).to_be_focused()
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
    for key, shown in (
        ("ArrowRight", "coffee-turned.jpg"),
        ("ArrowRight", "retina.jpg"),
        ("ArrowRight", "retina.jpg"),
        ("ArrowLeft", "coffee-turned.jpg"),
    ):
        keyboard.press(key)
        expect(gallery.lightbox.get_by_role("heading")).to_have_text(shown)
    keyboard.press("Escape")
    expect(gallery.lightbox).to_be_hidden()
    expect(gallery.thumbnail("coffee-turned.jpg")).to_be_focused()

    keyboard.press("Tab")
    keyboard.press("Enter")  # the delete button
    expect(gallery.thumbnail("retina.jpg")).to_be_focused()
    expect(gallery.thumbnails).to_have_count(2)
    keyboard.press("Control+z")
    expect(gallery.thumbnail("coffee-turned.jpg")).to_be_focused()
    expect(gallery.thumbnails).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_on_a_phone(visit: Callable[..., GalleryPage], corrupt_photo: Path, scheme: str) -> None:
    gallery = visit(**PHONE, color_scheme=scheme)
    gallery.upload(ROCKET, COFFEE, RETINA, corrupt_photo)
    expect(gallery.thumbnails).to_have_count(3)
    expect(gallery.cards.filter(has_text=re.compile(r"holiday\.jpg: .*image"))).to_have_count(1)
    assert gallery.page.evaluate("document.documentElement.scrollWidth") == 390
    save_screenshot(gallery, f"phone-{scheme}")
    gallery.thumbnail("retina.jpg").tap()
    expect(gallery.lightbox).to_be_visible()
    for button in gallery.lightbox.get_by_role("button").all():
        box = button.bounding_box()
        assert box and box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= 844
    save_screenshot(gallery, f"phone-{scheme}-large")
    gallery.lightbox.get_by_role("button", name="Delete").tap()
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
    eventually(gallery, lambda: photo_states(sandbox) == {})


def test_files_can_be_dropped_on_the_page(gallery: GalleryPage) -> None:
    drop = gallery.drag(ROCKET, COFFEE)
    save_screenshot(gallery, "drop")
    drop()
    gallery.enter_key()
    expect(gallery.thumbnails).to_have_count(2)


def test_page_warns_before_closing_with_pending_files(gallery: GalleryPage) -> None:
    gallery.choose_files(ROCKET)
    gallery.key_dialog.get_by_role("button", name="Cancel").click()
    with gallery.page.expect_event("dialog") as dialog:
        gallery.page.close(run_before_unload=True)
    assert dialog.value.type == "beforeunload"
    dialog.value.dismiss()
    expect(gallery.cards.filter(has_text="rocket.jpg: ")).to_have_count(1)


def test_lightsail_serves_the_same_page(visit: Callable[..., GalleryPage], sandbox: Sandbox) -> None:
    gallery = visit(url=sandbox.outputs["Lightsail"]["WebsiteUrl"])
    errors: list[str] = []
    gallery.page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    expect(gallery.served_by).to_contain_text("Lightsail")
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    image = gallery.thumbnails.get_by_role("img")
    eventually(gallery, lambda: image.evaluate("image => image.naturalWidth > 0"))
    assert errors == []


def test_scrolling_loads_older_photos(rocket_gallery: GalleryPage, sandbox: Sandbox) -> None:
    _add_older_photos(sandbox, 150)
    requests: list[Request] = []
    page = rocket_gallery.page
    page.on("request", lambda request: requests.append(request) if "/photos?" in request.url else None)
    page.reload()
    expect(rocket_gallery.cards).to_have_count(60)
    for count in (120, 151):
        rocket_gallery.cards.last.scroll_into_view_if_needed()
        expect(rocket_gallery.cards).to_have_count(count)
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()
    names = [image.get_attribute("alt") for image in rocket_gallery.cards.get_by_role("img").all()]
    assert names == ["rocket.jpg", *(f"{number:03}.jpg" for number in range(150))]
    assert len(requests) == 3


def _add_older_photos(sandbox: Sandbox, count: int) -> None:
    """Add catalogue items that share the thumbnails of the existing photo, each older than the one before."""
    table, dynamodb = sandbox.outputs["Thumbnails"]["CatalogueTable"], sandbox.client("dynamodb")
    (item,) = dynamodb.scan(TableName=table)["Items"]
    for index in range(count):
        changed = {
            "key": {"S": f"old/{index:03}.jpg"},
            "id": {"S": f"{index:032x}"},
            "created_at": {"S": f"2020-01-01T00:{59 - index // 60:02}:{59 - index % 60:02}.000Z"},
        }
        dynamodb.put_item(TableName=table, Item=item | changed)


def test_readme_animation_can_be_recorded(browser: Browser, sandbox: Sandbox, tmp_path: Path) -> None:
    record(sandbox, browser, tmp_path / "gallery.webp")
    with Image.open(tmp_path / "gallery.webp") as recorded, Image.open(ANIMATION) as kept:
        assert (recorded.format, recorded.size) == (kept.format, kept.size)
        assert len(ImageSequence.all_frames(recorded)) == len(ImageSequence.all_frames(kept)) > 1
    assert ANIMATION.stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_accessible_names_and_sufficient_contrast(
    visit: Callable[..., GalleryPage], corrupt_photo: Path, scheme: str
) -> None:
    gallery = visit(color_scheme=scheme)
    gallery.choose_files(ROCKET, corrupt_photo)
    assert_accessible(gallery.page)
    gallery.enter_key()
    expect(gallery.thumbnails).to_have_count(1)
    expect(gallery.cards.filter(has_text=re.compile(r"holiday\.jpg: .*image"))).to_have_count(1)
    save_screenshot(gallery, f"photos-{scheme}")
    gallery.delete("rocket.jpg")
    assert_accessible(gallery.page)
    gallery.notices.get_by_role("button", name="Undo").click()
    gallery.create_album("An album")
    expect(gallery.albums.get_by_role("link")).to_be_visible()
    gallery.page.get_by_role("button", name="Create album").click()
    save_screenshot(gallery, f"new-album-{scheme}")
    assert_accessible(gallery.page)
    gallery.page.keyboard.press("Escape")
    gallery.thumbnail("rocket.jpg").click()
    assert_accessible(gallery.page)
