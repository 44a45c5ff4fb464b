"""Adding a device in the console, seeing it come, and locking it out; its own page with words and boxes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from playwright.sync_api import expect

from broker.config.broker import Config
from broker.config.enrolment import Enrolment
from broker.incidents.presence import devices
from broker.ingest.enrolment import authority
from broker.ingest.rollout import stages
from broker.store.engine import open_database, writing
from contract import enrolment
from contract.caption import Box, Hazard, Label
from contract.enrolment import Invitation, Request
from contract.update import Progress, Reason, Update
from tests.broker.device import stated
from tests.broker.device import status as online
from tests.broker.web import sample
from tests.broker.web.chromium import WAIT_MS, chromium, login, opened
from tests.broker.web.serving import Browser, serving
from tests.broker.web.test_enrolment import signing_request

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A site that can enrol devices."""
    folder = tmp_path_factory.mktemp("site")
    made = authority.create(folder / "authority", now=datetime.now(UTC))
    plain = sample.fill(sample.config(folder), hours=2)
    here = Enrolment(folder=made.folder, url="https://wordcam.example", mqtt_host="wordcam.example")
    return msgspec.structs.replace(plain, enrolment=here)


@pytest.fixture(scope="module")
def address(config: Config) -> Iterator[str]:
    with serving(config) as found:
        yield found


@pytest.fixture
def admin(address: str) -> Iterator[Browser]:
    with Browser(address) as browser:
        browser.login("admin")
        yield browser


def invite(admin: Browser, device: str) -> str:
    """Make an invitation, and return its token."""
    answer = admin.send("/enrolment", {"site": "harbour", "device": device}, form="/enrolment")
    assert answer.status_code == 303
    return str(answer.headers["location"]).rpartition("/")[2]


def join(admin: Browser, token: str) -> httpx.Response:
    """Ask for a certificate as the device does."""
    body = msgspec.json.encode(Request(token=token, request=signing_request()))
    return admin.http.post("/enrol", content=body, headers={"content-type": "application/json"})


def test_an_invitation_is_a_page_a_code_and_a_file(admin: Browser) -> None:
    token = invite(admin, "pi-31")

    page = admin.http.get(f"/enrolment/{token}").text
    assert '<svg class="qr"' in page.replace("\n", "") or "qr-line" in page
    assert f"https://wordcam.example/enrol/{token}" in page
    file = admin.http.get(f"/enrol/{token}")
    assert 'filename="harbour_pi-31.enroll"' in file.headers["content-disposition"]
    made = enrolment.read(file.content, Invitation)
    assert (made.site, made.device, made.token) == ("harbour", "pi-31", token)


def test_the_link_needs_no_login_and_opens_nothing_once_it_was_used(admin: Browser, address: str) -> None:
    token = invite(admin, "pi-32")
    with Browser(address) as phone:
        assert phone.http.get(f"/enrol/{token}").status_code == 200
        assert phone.http.get(f"/enrolment/{token}").status_code in (302, 303, 401, 403)
        assert join(admin, token).status_code == 200

        assert phone.http.get(f"/enrol/{token}").status_code == 404


@pytest.mark.parametrize("name", ["", "Pi 31", "../etc", "a/b", "-x"])
def test_what_is_no_name_is_refused_in_words(name: str, admin: Browser) -> None:
    answer = admin.send("/enrolment", {"site": "harbour", "device": name}, form="/enrolment")

    assert answer.status_code == 400
    assert "hyphens" in answer.text


def test_only_an_administrator_adds_and_revokes(address: str) -> None:
    with Browser(address) as guard:
        guard.login("lee")

        assert guard.http.get("/enrolment").status_code == 403
        assert guard.send("/enrolment", {"site": "harbour", "device": "pi-33"}).status_code == 403
        assert guard.send("/devices/harbour/pi-01/revoke").status_code == 403
        assert "/enrolment" not in guard.http.get("/devices").text


def test_a_device_that_is_revoked_needs_a_new_invitation(admin: Browser, config: Config) -> None:
    token = invite(admin, "pi-34")
    assert join(admin, token).status_code == 200
    sample.accept(config, stated(online(site="harbour", device="pi-34", since=datetime.now(UTC), at=datetime.now(UTC))))

    answer = admin.send("/devices/harbour/pi-34/revoke")

    assert answer.status_code == 303
    assert "restart it now" in admin.http.get(answer.headers["location"]).text
    assert config.enrolment is not None
    assert authority.load(config.enrolment.folder).issued_to("harbour/pi-34") == []
    assert admin.send("/devices/harbour/pi-34/revoke").status_code == 404


def test_a_device_takes_whose_models_it_trusts_from_the_answer(admin: Browser, config: Config, tmp_path: Path) -> None:
    from broker.config.models import Models  # noqa: PLC0415 - only here
    from broker.ingest.rollout import repository  # noqa: PLC0415 - only here

    made = repository.create(tmp_path / "models", tmp_path / "safe", now=datetime.now(UTC))
    with (
        serving(msgspec.structs.replace(config, models=Models(folder=made.folder))) as address,
        Browser(address) as other,
    ):
        answer = enrolment.read(join(other, invite_by(other, "pi-35")).content, enrolment.Certified)

        assert answer.models is not msgspec.UNSET
        assert answer.models.root.encode() == made.root
        assert answer.models.url == "https://wordcam.example/models"
        assert other.http.get("/models/metadata/timestamp.json").status_code == 200
        for path in ("keys/targets.pem", "metadata/..%2fkeys%2ftargets.pem", "targets/../keys/targets.pem"):
            assert other.http.get(f"/models/{path}").status_code == 404


def invite_by(browser: Browser, device: str) -> str:
    browser.login("admin")
    return invite(browser, device)


def test_a_device_comes_while_one_looks_and_its_page_says_what_it_sees(address: str, config: Config) -> None:
    with chromium() as browser, opened(browser, address) as page:
        login(page, "admin")
        page.goto("/devices")
        page.get_by_role("link", name="Add a device").click()
        page.get_by_label("Site").fill("harbour")
        page.get_by_label("Name of the device").fill("pi-40")
        page.get_by_role("button", name="Make the invitation").click()
        expect(page.locator("svg.qr")).to_be_visible()
        expect(page.locator("#joining")).to_contain_text("Waiting for the device")
        token = page.url.rpartition("/")[2]

        with Browser(address) as device:
            assert join(device, token).status_code == 200
        expect(page.locator("#joining")).to_contain_text("Waiting for its first message")
        now = datetime.now(UTC)
        update = Update(
            progress=Progress.ROLLED_BACK, target="standard/wordcam-1-1.1.0.tar", reason=Reason.CRASH, at=now
        )
        sample.accept(config, stated(online(site="harbour", device="pi-40", since=now, at=now, update=update)))
        expect(page.locator("#joining")).to_contain_text("Connected")
        person = Label("person", 2, 0.8, (Box(0.5, 0.5, 0.1, 0.3),))
        hazard = Hazard("fire", 0.9, 0.9, now, Box(0.1, 0.2, 0.3, 0.4))
        said = sample.caption("a fire burns next to a truck", 9001, now, device="pi-40")
        sample.say(config, msgspec.structs.replace(said, labels=(person,), hazards=(hazard,)))
        expect(page.locator("#joining")).to_contain_text("a fire burns next to a truck")

        page.get_by_role("link", name="Show the device").click()
        expect(page.get_by_text("taken back")).to_be_visible()
        expect(page.get_by_text("The device's program ended with the new model.")).to_be_visible()
        box = page.locator("svg rect.found.danger")
        assert box.get_attribute("x") == "16.0"
        assert page.locator("svg rect.found").first.get_attribute("width") == "16.0"
        expect(page.get_by_text("2 × person")).to_be_visible()
        assert page.locator("img:not([src^='/static/'])").count() == 0

        page.get_by_text("Lost or stolen?").click()
        page.get_by_role("button", name="Revoke its certificate").click()
        expect(page.get_by_text("restart it now")).to_be_visible()


def test_a_rollout_that_halted_is_shown_with_the_device_that_halted_it(admin: Browser, config: Config) -> None:
    now = datetime.now(UTC)
    bad = Update(progress=Progress.ROLLED_BACK, target="standard/wordcam-1-1.4.0.tar", reason=Reason.SELF_TEST, at=now)
    sample.accept(config, stated(online(site="harbour", device="pi-41", since=now, at=now, update=bad)))
    engine = open_database(config.database)
    with writing(engine) as connection:
        stages.start(connection, str(bad.target), "standard", sites=(), percent=10, by="lee", at=now)
        stages.halt_failed(connection, devices.everyone(connection), at=now)
    engine.dispose()

    page = admin.http.get("/devices").text

    assert "halted by itself" in page
    assert "harbour/pi-41 rolled-back, self-test" in page
