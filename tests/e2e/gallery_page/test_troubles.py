"""What the gallery page says and keeps when something goes wrong, and that it can be tried again."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Route, expect

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.gallery_page.looks import (
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
