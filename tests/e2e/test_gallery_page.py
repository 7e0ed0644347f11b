"""The gallery page as people use it: in a browser, against the sandbox, from another origin than the API's."""

import base64
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Request, Route, expect
from pypdf import PdfReader

from local.browser import HOW_TO_GET_ONE, installed_browser, running_browser
from local.emulator import HOST, ROOT
from local.gallery_page import GalleryPage
from local.picture import MAX_BYTES, take
from local.sandbox import Sandbox
from tests.e2e.accessibility import nameless, too_faint

pytestmark = pytest.mark.skipif(installed_browser() is None, reason=HOW_TO_GET_ONE)

PHOTOS = ROOT / "local" / "photos"
ROCKET, COFFEE, RETINA = (PHOTOS / name for name in ("rocket.jpg", "coffee-turned.jpg", "retina.jpg"))
SCREENSHOTS = ROOT / ".cache" / "screenshots"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
# What the page calls of the API, and of S3.
API = "**/_aws/execute-api/**"
UPLOADS = re.compile("/other-compute-thumbnails-originals")
RENEWALS = re.compile(r"/photos/\w+$")
THUMBNAILS = re.compile(r"/(256|1024)\.webp")
CORS = {"Access-Control-Allow-Origin": "*"}

# The machine may have more to do than this.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., GalleryPage]]:
    """Opens the page in a browser of its own. By another name than the API's: for the browser it is another origin."""
    contexts: list[BrowserContext] = []

    def visit(**settings: Any) -> GalleryPage:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        gallery = GalleryPage(page, sandbox.outputs["Ecs"]["GalleryUrl"].replace(HOST, "localhost"), sandbox.api_key())
        gallery.open()
        return gallery

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def gallery(visit: Callable[..., GalleryPage]) -> GalleryPage:
    return visit()


@pytest.fixture(autouse=True)
def nothing_left(sandbox: Sandbox) -> Iterator[None]:
    """After each test every photo is gone, however far it came."""
    yield
    outputs, s3, dynamodb = sandbox.outputs["Thumbnails"], sandbox.client("s3"), sandbox.client("dynamodb")
    for bucket in (outputs["OriginalsBucket"], outputs["ThumbnailsBucket"]):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for entry in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=entry["Key"])
    for item in sandbox.items(outputs["CatalogueTable"]):
        dynamodb.delete_item(TableName=outputs["CatalogueTable"], Key={"key": {"S": item["key"]}})


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"This is not a photo.")
    return file


def picture(gallery: GalleryPage, name: str) -> None:
    """Keep a picture of what is in the window."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    gallery.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def in_service(sandbox: Sandbox) -> dict[str, str]:
    """The state of each photo, by the name of its file."""
    items = sandbox.items(sandbox.outputs["Thumbnails"]["CatalogueTable"])
    return {item["key"].rpartition("/")[2]: item["state"] for item in items}


def eventually(gallery: GalleryPage, look: Callable[[], bool]) -> None:
    for _ in range(300):
        if look():
            return
        gallery.page.wait_for_timeout(100)
    raise AssertionError("not in time")


def test_a_visit(gallery: GalleryPage, sandbox: Sandbox, broken: Path) -> None:
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
    expect(gallery.cards.filter(has_text="holiday.jpg: This is not an image we can read")).to_have_count(1)
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

    gallery.delete("rocket.jpg")
    gallery.notices.get_by_role("button", name="Close").click()
    eventually(gallery, lambda: "rocket.jpg" not in in_service(sandbox))
    page.reload()
    expect(gallery.thumbnails).to_have_count(2)
    assert troubles == []


def loaded(image: Any) -> str:
    """Where the picture that is shown came from; empty if none is."""
    return str(image.evaluate("image => image.complete && image.naturalWidth ? image.currentSrc : ''"))


def test_a_photo_can_be_had_back(gallery: GalleryPage, sandbox: Sandbox) -> None:
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


def test_deleted_when_the_time_to_undo_is_over(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.mouse.move(0, 0)  # nobody points at the notice
    gallery.delete("rocket.jpg")
    gallery.page.mouse.move(0, 0)
    expect(gallery.notices.filter(has_text="rocket.jpg is deleted.")).to_be_visible()
    assert in_service(sandbox) == {"rocket.jpg": "ready"}
    expect(gallery.notices.filter(has_text="rocket.jpg is deleted.")).to_have_count(0)
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_deleted_when_the_page_is_left(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.delete("rocket.jpg")
    gallery.page.goto("about:blank")
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_by_keyboard(gallery: GalleryPage, sandbox: Sandbox) -> None:
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
def test_on_a_phone(visit: Callable[..., GalleryPage], broken: Path, scheme: str) -> None:
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


def test_a_wrong_key_is_asked_for_again_and_the_upload_goes_on(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET, RETINA)
    gallery.give_key("not the key")
    expect(gallery.key_dialog.get_by_role("alert")).to_have_text("The API does not accept this key.")
    picture(gallery, "wrong-key")
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(2)


def test_whose_address_is_not_let_in_any_more_keeps_the_key_and_the_files(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    words = "This API is not open to your address: see the setting allowed_cidr."
    refusal = {"error": {"code": "address_not_allowed", "message": words}}
    gallery.page.route(API, lambda route: route.fulfill(status=403, json=refusal, headers=CORS))
    gallery.upload(RETINA)
    expect(gallery.cards.filter(has_text=f"retina.jpg: {words}")).to_have_count(1)
    expect(gallery.key_dialog).to_be_hidden()
    gallery.page.unroute(API)
    gallery.cards.get_by_role("button", name="Try again").click()
    expect(gallery.thumbnails).to_have_count(2)


def test_without_a_key_the_files_are_kept(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET, COFFEE, RETINA, PHOTOS / "chelsea.png")
    gallery.key_dialog.get_by_role("button", name="Not now").click()
    expect(gallery.cards.filter(has_text="This needs the API key.")).to_have_count(4)
    expect(gallery.key_dialog).to_be_hidden()
    picture(gallery, "no-key")
    gallery.notices.filter(has_text="Not uploaded: 4").get_by_role("button", name="Try again").click()
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(4)


def test_an_upload_can_be_given_up(gallery: GalleryPage, sandbox: Sandbox) -> None:
    held: list[Route] = []
    gallery.page.route(UPLOADS, lambda route: held.append(route))
    gallery.upload(ROCKET)
    eventually(gallery, lambda: bool(held))
    gallery.cards.get_by_role("button", name="Delete rocket.jpg").click()
    expect(gallery.cards).to_have_count(0)
    eventually(gallery, lambda: in_service(sandbox) == {})


def test_an_upload_that_the_bucket_refuses_can_be_tried_again(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.page.route(UPLOADS, lambda route: route.fulfill(status=403, headers=CORS), times=1)
    gallery.upload(ROCKET)
    expect(gallery.cards.filter(has_text="rocket.jpg: the bucket refused it (403).")).to_have_count(1)
    gallery.cards.get_by_role("button", name="Try again").click()
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.reload()
    expect(gallery.cards).to_have_count(1)


def test_what_is_no_photo_is_refused_before_it_is_sent(gallery: GalleryPage) -> None:
    gallery.upload(ROOT / "README.md")
    expect(gallery.cards.filter(has_text="README.md: no photo that we take")).to_have_count(1)
    expect(gallery.cards.get_by_role("button", name="Try again")).to_be_hidden()
    gallery.cards.get_by_role("button", name="Delete README.md").click()
    expect(gallery.page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_files_can_be_dropped(gallery: GalleryPage) -> None:
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


def test_the_page_asks_before_it_leaves_files_behind(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET)
    gallery.key_dialog.get_by_role("button", name="Not now").click()
    with gallery.page.expect_event("dialog") as asked:
        gallery.page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(gallery.cards.filter(has_text="rocket.jpg: This needs the API key.")).to_have_count(1)


def test_an_api_that_fails_now_and_then_costs_nothing_but_time(gallery: GalleryPage, sandbox: Sandbox) -> None:
    calls: Counter[tuple[str, ...]] = Counter()
    photos = (ROCKET, COFFEE, RETINA)

    def falter(route: Route) -> None:
        """Each call fails twice, and then goes through."""
        of = [photo.name for photo in photos if photo.name.encode() in (route.request.post_data_buffer or b"")]
        call = route.request.method, route.request.url.partition("?")[0], *of
        calls[call] += 1
        if calls[call] % 3 == 1:
            route.fulfill(status=503, json={"error": {"code": "unavailable", "message": "Try again."}}, headers=CORS)
        elif calls[call] % 3 == 2:
            route.abort()
        else:
            route.continue_()

    gallery.page.route(API, falter)
    gallery.page.route(UPLOADS, falter)
    gallery.upload(*photos)
    expect(gallery.thumbnails).to_have_count(3)
    gallery.delete("rocket.jpg")
    gallery.notices.filter(has_text="deleted").get_by_role("button", name="Close").click()
    eventually(gallery, lambda: "rocket.jpg" not in in_service(sandbox))


def test_an_api_that_is_away_is_told_and_tried_again(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(API, lambda route: route.abort())

    gallery.upload(COFFEE)
    expect(gallery.cards.filter(has_text="coffee-turned.jpg: The API cannot be reached.")).to_have_count(1)
    gallery.order_album("Away")
    expect(gallery.notices.filter(has_text="Away is not ordered. The API cannot be reached.")).to_have_count(1)
    gallery.delete("rocket.jpg")
    gallery.notices.filter(has_text="is deleted").get_by_role("button", name="Close").click()
    expect(gallery.notices.filter(has_text="rocket.jpg is not deleted.")).to_have_count(1)
    expect(gallery.thumbnails).to_have_count(1)
    picture(gallery, "away")

    gallery.page.unroute(API)
    gallery.cards.get_by_role("button", name="Try again").click()
    expect(gallery.thumbnails).to_have_count(2)
    gallery.notices.filter(has_text="Away").get_by_role("button", name="Try again").click()
    expect(gallery.albums.get_by_role("link", name="Open the PDF")).to_be_visible()


def test_a_page_that_finds_no_api_can_be_tried_again(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(API, lambda route: route.abort())
    gallery.page.reload()
    expect(gallery.page.get_by_text("The API cannot be reached.")).to_be_visible()
    picture(gallery, "no-api")
    gallery.page.unroute(API)
    gallery.page.get_by_role("button", name="Try again").click()
    expect(gallery.thumbnails).to_have_count(1)
    expect(gallery.page.get_by_text("The API cannot be reached.")).to_be_hidden()


def test_a_page_whose_server_fails_can_be_tried_again(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(status=503, body="<html>no task</html>"))
    gallery.page.reload()
    expect(gallery.page.get_by_text("The server of this page does not answer.", exact=True)).to_be_visible()
    gallery.page.unroute("**/config.json")
    gallery.page.get_by_role("button", name="Try again").click()
    expect(gallery.page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_a_page_without_an_api_says_so(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(json={"api_url": ""}))
    gallery.page.reload()
    expect(gallery.page.get_by_text("This page was deployed without an API.", exact=True)).to_be_visible()


def test_thumbnails_that_do_not_arrive_are_asked_for_again(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET, COFFEE, RETINA)
    expect(gallery.thumbnails).to_have_count(3)
    missing = "() => [...document.querySelectorAll('.ready img')].filter((it) => !it.naturalWidth).length"
    gallery.page.route(THUMBNAILS, lambda route: route.fulfill(status=403))  # their links have run out
    gallery.page.route(RENEWALS, lambda route: route.abort())  # and the API is away
    gallery.page.reload()
    expect(gallery.page.get_by_text("The API cannot be reached. What this page shows may be old.")).to_be_visible()
    assert gallery.page.evaluate(missing) == 3
    gallery.page.unroute(THUMBNAILS)
    gallery.page.unroute(RENEWALS)
    gallery.page.get_by_role("button", name="Try again").click()
    eventually(gallery, lambda: gallery.page.evaluate(missing) == 0)


def test_a_large_view_that_does_not_arrive_can_be_tried_again(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(THUMBNAILS, lambda route: route.fulfill(status=403))
    gallery.page.route(RENEWALS, lambda route: route.abort())
    gallery.thumbnail("rocket.jpg").click()
    expect(gallery.large.get_by_text("This is the small thumbnail. The API cannot be reached.")).to_be_visible()
    picture(gallery, "large-away")
    gallery.page.unroute(RENEWALS)
    gallery.large.get_by_role("button", name="Try again").click()
    expect(gallery.large.get_by_text("This is the small thumbnail. It does not arrive.")).to_be_visible()
    gallery.page.unroute(THUMBNAILS)
    gallery.large.get_by_role("button", name="Try again").click()
    expect(gallery.large.get_by_role("button", name="Try again")).to_be_hidden()
    eventually(gallery, lambda: "/1024.webp" in loaded(gallery.large.get_by_role("img")))


def test_a_slow_api_is_told(gallery: GalleryPage) -> None:
    held: list[Route] = []
    gallery.page.route(API, lambda route: held.append(route))
    gallery.page.reload()
    slow = gallery.page.get_by_text("The API takes its time")
    expect(slow).to_be_visible()
    picture(gallery, "slow")
    for route in held:
        route.continue_()
    expect(slow).to_be_hidden()
    expect(gallery.page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_lightsail_serves_it_too(gallery: GalleryPage) -> None:
    gallery.page.route(
        "**/whoami", lambda route: route.fulfill(json={"launch_type": "LIGHTSAIL", "task": None, "zone": None})
    )
    gallery.page.reload()
    expect(gallery.page.get_by_text("Served by Amazon Lightsail", exact=True)).to_be_visible()


def test_older_photos_come_as_one_scrolls(gallery: GalleryPage, sandbox: Sandbox) -> None:
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


def test_the_picture_of_the_readme(browser: Browser, sandbox: Sandbox, tmp_path: Path) -> None:
    take(sandbox, browser, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as taken, Image.open(ROOT / "docs" / "gallery.png") as kept:
        assert (taken.format, taken.size) == ("PNG", kept.size)
    assert (ROOT / "docs" / "gallery.png").stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read(visit: Callable[..., GalleryPage], broken: Path, scheme: str) -> None:
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
