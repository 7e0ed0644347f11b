"""The gallery page reports errors, loses nothing, and lets the user try again."""

import re
from collections import Counter

from playwright.sync_api import Locator, Route, expect

from local.emulator import ROOT
from local.sandbox import Sandbox
from photos.limits import SIZES
from tests.e2e.gallery_page.page_state import (
    API,
    UPLOADS,
    eventually,
    image_source,
    photo_states,
    save_screenshot,
)
from tests.e2e.photos import COFFEE, RETINA, ROCKET, SAMPLES
from tools.gallery_page import GalleryPage

RENEWALS = re.compile(r"/photos/\w+$")
THUMBNAILS = re.compile(r"/\d+\.webp")
CORS = {"Access-Control-Allow-Origin": "*"}


def _try_again(place: Locator) -> None:
    place.get_by_role("button", name="Try again").click()


def test_wrong_key_is_requested_again_and_upload_continues(gallery: GalleryPage) -> None:
    gallery.choose_files(ROCKET, RETINA)
    gallery.enter_key("not the key")
    expect(gallery.key_dialog.get_by_role("alert")).to_contain_text("key")
    save_screenshot(gallery, "wrong-key")
    gallery.enter_key()
    expect(gallery.thumbnails).to_have_count(2)


def test_denied_address_keeps_key_and_files(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    error = {"error": {"code": "address_not_allowed", "message": "See the setting allowed_cidr."}}
    gallery.page.route(API, lambda route: route.fulfill(status=403, json=error, headers=CORS))
    gallery.upload(RETINA)
    expect(gallery.cards.filter(has_text="retina.jpg: See the setting allowed_cidr.")).to_have_count(1)
    expect(gallery.key_dialog).to_be_hidden()
    gallery.page.unroute(API)
    _try_again(gallery.cards)
    expect(gallery.thumbnails).to_have_count(2)


def test_files_are_kept_without_a_key(gallery: GalleryPage) -> None:
    gallery.choose_files(ROCKET, COFFEE, RETINA, SAMPLES / "chelsea.png")
    gallery.key_dialog.get_by_role("button", name="Cancel").click()
    expect(gallery.cards.filter(has_text="API key")).to_have_count(4)
    expect(gallery.key_dialog).to_be_hidden()
    save_screenshot(gallery, "no-key")
    _try_again(gallery.notices.filter(has_text="4"))
    gallery.enter_key()
    expect(gallery.thumbnails).to_have_count(4)


def test_upload_that_the_bucket_denies_can_be_retried(gallery: GalleryPage) -> None:
    gallery.page.route(UPLOADS, lambda route: route.fulfill(status=403, headers=CORS), times=1)
    gallery.upload(ROCKET)
    expect(gallery.cards.filter(has_text=re.compile(r"rocket\.jpg: .*403"))).to_have_count(1)
    _try_again(gallery.cards)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.reload()
    expect(gallery.cards).to_have_count(1)


def test_unsupported_file_is_rejected_before_upload(gallery: GalleryPage) -> None:
    gallery.upload(ROOT / "README.md")
    expect(gallery.cards.filter(has_text="README.md: ")).to_have_count(1)
    expect(gallery.cards.get_by_role("button", name="Try again")).to_be_hidden()
    gallery.cards.get_by_role("button", name="Delete README.md").click()
    expect(gallery.empty_notice).to_be_visible()


def test_transient_api_errors_are_retried(gallery: GalleryPage, sandbox: Sandbox) -> None:
    calls: Counter[tuple[str, ...]] = Counter()
    photos = (ROCKET, COFFEE, RETINA)

    def fail_twice(route: Route) -> None:
        names = [photo.name for photo in photos if photo.name.encode() in (route.request.post_data_buffer or b"")]
        call = route.request.method, route.request.url.partition("?")[0], *names
        calls[call] += 1
        if calls[call] % 3 == 1:
            route.fulfill(status=503, json={"error": {"code": "unavailable", "message": "Try again."}}, headers=CORS)
        elif calls[call] % 3 == 2:
            route.abort()
        else:
            route.continue_()

    gallery.page.route(API, fail_twice)
    gallery.page.route(UPLOADS, fail_twice)
    gallery.upload(*photos)
    expect(gallery.thumbnails).to_have_count(3)
    gallery.delete("rocket.jpg")
    gallery.notices.filter(has_text="rocket.jpg").get_by_role("button", name="Close").click()
    eventually(gallery, lambda: "rocket.jpg" not in photo_states(sandbox))


def test_unreachable_api_is_reported_and_actions_can_be_retried(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(API, lambda route: route.abort())

    gallery.upload(COFFEE)
    expect(gallery.cards.filter(has_text=re.compile(r"coffee-turned\.jpg: .*API"))).to_have_count(1)
    gallery.create_album("Holidays")
    expect(gallery.notices.filter(has_text="Holidays")).to_have_count(1)
    gallery.delete("rocket.jpg")
    gallery.notices.filter(has_text="rocket.jpg").get_by_role("button", name="Close").click()
    expect(gallery.notices.filter(has_text="rocket.jpg").filter(has_text="could not be deleted")).to_have_count(1)
    expect(gallery.thumbnails).to_have_count(1)
    save_screenshot(gallery, "unreachable-api-actions")

    gallery.page.unroute(API)
    _try_again(gallery.cards)
    expect(gallery.thumbnails).to_have_count(2)
    _try_again(gallery.notices.filter(has_text="Holidays"))
    expect(gallery.albums.get_by_role("link")).to_be_visible()


def test_loading_can_be_retried_when_the_api_is_unreachable(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(API, lambda route: route.abort())
    gallery.page.reload()
    expect(gallery.problem).to_contain_text("API")
    save_screenshot(gallery, "unreachable-api")
    gallery.page.unroute(API)
    _try_again(gallery.page.get_by_role("main"))
    expect(gallery.thumbnails).to_have_count(1)
    expect(gallery.problem).to_be_empty()


def test_loading_can_be_retried_when_the_page_server_fails(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(status=503, body="<html>no task</html>"))
    gallery.page.reload()
    expect(gallery.problem).to_contain_text("server")
    gallery.page.unroute("**/config.json")
    _try_again(gallery.page.get_by_role("main"))
    expect(gallery.empty_notice).to_be_visible()


def test_page_cannot_send_data_to_other_origins(gallery: GalleryPage) -> None:
    violations = """async (url) => {
        const found = [];
        document.addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
        new Image().src = url;
        await fetch(url).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 500));
        return found.sort();
    }"""
    # This host is not the one of the page, of the API, or of the buckets.
    assert gallery.page.evaluate(violations, "http://127.0.0.2/") == ["connect-src", "img-src"]


def test_missing_api_is_reported(gallery: GalleryPage) -> None:
    gallery.page.route("**/config.json", lambda route: route.fulfill(json={"api_url": ""}))
    gallery.page.reload()
    expect(gallery.problem).to_contain_text("API")


def test_thumbnails_that_fail_to_load_are_requested_again(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET, COFFEE, RETINA)
    expect(gallery.thumbnails).to_have_count(3)
    missing = "() => [...document.querySelectorAll('.ready img')].filter((it) => !it.naturalWidth).length"
    gallery.page.route(THUMBNAILS, lambda route: route.fulfill(status=403))  # the URLs have expired
    gallery.page.route(RENEWALS, lambda route: route.abort())
    gallery.page.reload()
    expect(gallery.problem).to_contain_text("API")
    assert gallery.page.evaluate(missing) == 3
    gallery.page.unroute(THUMBNAILS)
    gallery.page.unroute(RENEWALS)
    _try_again(gallery.page.get_by_role("main"))
    eventually(gallery, lambda: gallery.page.evaluate(missing) == 0)


def test_large_view_that_fails_to_load_can_be_retried(gallery: GalleryPage) -> None:
    gallery.upload(ROCKET)
    expect(gallery.thumbnails).to_have_count(1)
    gallery.page.route(THUMBNAILS, lambda route: route.fulfill(status=403))
    gallery.page.route(RENEWALS, lambda route: route.abort())
    gallery.thumbnail("rocket.jpg").click()
    expect(gallery.lightbox.get_by_role("status")).to_contain_text("API")
    save_screenshot(gallery, "large-view-error")
    gallery.page.unroute(RENEWALS)
    _try_again(gallery.lightbox)
    expect(gallery.lightbox.get_by_role("status")).to_have_text(re.compile(r"^(?!.*API).+"))
    gallery.page.unroute(THUMBNAILS)
    _try_again(gallery.lightbox)
    expect(gallery.lightbox.get_by_role("button", name="Try again")).to_be_hidden()
    eventually(gallery, lambda: f"/{max(SIZES)}.webp" in image_source(gallery.lightbox.get_by_role("img")))


def test_slow_api_is_reported(gallery: GalleryPage) -> None:
    held: list[Route] = []
    gallery.page.route(API, lambda route: held.append(route))
    gallery.page.reload()
    expect(gallery.slow_notice).to_be_visible()
    save_screenshot(gallery, "slow-api")
    for route in held:
        route.continue_()
    expect(gallery.slow_notice).to_be_hidden()
    expect(gallery.empty_notice).to_be_visible()
