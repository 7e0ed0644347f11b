"""What the gallery page says and keeps when something goes wrong, and that it can be tried again."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Route, expect

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.gallery_page.page_state import (
    COFFEE,
    PHOTOS,
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

pytestmark = pytest.mark.skipif(installed_browser() is None, reason=HOW_TO_GET_ONE)

# What the page calls of the API, and what it shows.
API = "**/_aws/execute-api/**"
RENEWALS = re.compile(r"/photos/\w+$")
THUMBNAILS = re.compile(r"/(256|1024)\.webp")
CORS = {"Access-Control-Allow-Origin": "*"}


def test_wrong_key_is_requested_again_and_upload_continues(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET, RETINA)
    gallery.give_key("not the key")
    expect(gallery.key_dialog.get_by_role("alert")).to_have_text("The API does not accept this key.")
    picture(gallery, "wrong-key")
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(2)


def test_denied_address_keeps_key_and_files(gallery: GalleryPage) -> None:
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


def test_files_are_kept_without_a_key(gallery: GalleryPage) -> None:
    gallery.choose(ROCKET, COFFEE, RETINA, PHOTOS / "chelsea.png")
    gallery.key_dialog.get_by_role("button", name="Not now").click()
    expect(gallery.cards.filter(has_text="This needs the API key.")).to_have_count(4)
    expect(gallery.key_dialog).to_be_hidden()
    picture(gallery, "no-key")
    gallery.notices.filter(has_text="Not uploaded: 4").get_by_role("button", name="Try again").click()
    gallery.give_key()
    expect(gallery.thumbnails).to_have_count(4)


def test_upload_that_the_bucket_denies_can_be_retried(gallery: GalleryPage, sandbox: Sandbox) -> None:
    gallery.page.route(UPLOADS, lambda route: route.fulfill(status=403, headers=CORS), times=1)
    gallery.upload(ROCKET)
    expect(gallery.cards.filter(has_text="rocket.jpg: the bucket refused it (403).")).to_have_count(1)
    gallery.cards.get_by_role("button", name="Try again").click()
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.reload()
    expect(gallery.cards).to_have_count(1)


def test_unsupported_file_is_rejected_before_upload(gallery: GalleryPage) -> None:
    gallery.upload(ROOT / "README.md")
    expect(gallery.cards.filter(has_text="README.md: no photo that we take")).to_have_count(1)
    expect(gallery.cards.get_by_role("button", name="Try again")).to_be_hidden()
    gallery.cards.get_by_role("button", name="Delete README.md").click()
    expect(gallery.page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_transient_api_errors_are_retried(gallery: GalleryPage, sandbox: Sandbox) -> None:
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


def test_unreachable_api_is_reported_and_actions_can_be_retried(gallery: GalleryPage, sandbox: Sandbox) -> None:
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


def test_loading_can_be_retried_when_the_api_is_unreachable(gallery: GalleryPage) -> None:
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


def test_loading_can_be_retried_when_the_page_server_fails(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(status=503, body="<html>no task</html>"))
    gallery.page.reload()
    expect(gallery.page.get_by_text("The server of this page does not answer.", exact=True)).to_be_visible()
    gallery.page.unroute("**/config.json")
    gallery.page.get_by_role("button", name="Try again").click()
    expect(gallery.page.get_by_role("heading", name="No photos yet")).to_be_visible()


def test_missing_api_is_reported(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(json={"api_url": ""}))
    gallery.page.reload()
    expect(gallery.page.get_by_text("This page was deployed without an API.", exact=True)).to_be_visible()


def test_thumbnails_that_fail_to_load_are_requested_again(gallery: GalleryPage) -> None:
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


def test_large_view_that_fails_to_load_can_be_retried(gallery: GalleryPage) -> None:
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


def test_slow_api_is_reported(gallery: GalleryPage) -> None:
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
