"""The page on which zones are drawn, in a browser, and what its server answers to anybody else."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from edge import config
from edge.cli import main
from edge.errors import Misconfigured
from edge.zone_editor import drawing
from edge.zone_editor.server import ZonePage
from testing.waiting import wait_until
from tests.broker.web.chromium import chromium, opened
from tests.edge import pictures
from tests.edge.conftest import Write


@pytest.fixture
def still(tmp_path: Path) -> Path:
    return pictures.write(tmp_path / "still.png", pictures.plain(pictures.BLUE, 360, 640))


@pytest.fixture
def settings(write_config: Write) -> Path:
    path = write_config()
    path.write_text(
        "site: lab\ndevice: dev-1\ncamera:\n  kind: v4l2\n  stream: cam-0\noutbox: {path: o}\nmqtt: {host: h}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def page(still: Path, settings: Path) -> Iterator[ZonePage]:
    with drawing.served(drawing.begin(settings, still), settings, 0) as served:
        yield served


def ask(page: ZonePage, path: str, *, host: str = "", body: bytes | None = None) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    method = "GET" if body is None else "POST"
    connection.request(method, path, body, {"Host": host or f"127.0.0.1:{page.port}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def below(page: ZonePage) -> str:
    return "/" + page.address.split("/", 3)[3]


def test_a_zone_and_a_mask_are_drawn_and_saved_into_the_configuration(page: ZonePage, settings: Path) -> None:
    with chromium() as browser, opened(browser, page.address) as view:
        view.goto(page.address)
        expect(view.locator("body[data-ready]")).to_be_attached()
        canvas = view.locator("#picture")
        box = canvas.bounding_box()
        assert box is not None

        def click(*places: tuple[float, float]) -> None:
            for x, y in places:
                canvas.click(position={"x": x * box["width"], "y": y * box["height"]})

        click((0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.1, 0.1))
        canvas.press("Backspace")
        view.fill("#name", "North Door")
        view.click("#finish")
        expect(view.locator("#said")).to_contain_text("A name has a-z")
        view.fill("#name", "north-door")
        view.press("#name", "Enter")
        expect(view.locator("#areas li")).to_have_text(["north-door, 3 cornersRemove"])
        view.check("[value=mask]")
        click((0.1, 0.1), (0.3, 0.1), (0.3, 0.3))
        view.click("#save")
        expect(view.locator("#said")).to_contain_text("Finish the area")
        view.click("#finish")
        view.click("#language")
        expect(view.locator("h1")).to_have_text("구역과 개인정보 가림")
        view.click("#save")
        expect(view.locator("#said")).to_contain_text("저장됨")
        expect(view.locator("#yaml")).to_contain_text("north-door: [[0.50")

    assert drawing.wait(page, threading.Event())
    camera = config.load(settings).camera
    assert [share for corner in camera.zones["north-door"] for share in corner] == pytest.approx(
        [0.5, 0.5, 0.9, 0.5, 0.9, 0.9], abs=0.01
    )
    assert len(camera.masks) == 1
    assert drawing.yaml_lines(page)[0] == "zones:"


def test_an_outline_that_crosses_itself_is_refused_on_the_page(page: ZonePage, settings: Path) -> None:
    before = settings.read_bytes()
    body = b'{"masks": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}'

    answer = ask(page, f"{below(page)}areas.json", body=body)

    assert answer.status == 400
    assert settings.read_bytes() == before
    assert not page.saved.is_set()


@pytest.mark.parametrize("path", ["/", "/still.jpg", "/x/still.jpg", "//still.jpg", "/../page.html"])
def test_without_the_secret_there_is_nothing(page: ZonePage, path: str) -> None:
    assert ask(page, path).status == 404
    assert ask(page, path, body=b"{}").status == 404


def test_a_name_of_elsewhere_that_leads_here_finds_nothing(page: ZonePage) -> None:
    own = below(page)

    assert ask(page, f"{own}still.jpg").status == 200
    assert ask(page, f"{own}still.jpg", host=f"localhost:{page.port}").status == 200
    assert ask(page, f"{own}still.jpg", host=f"evil.example:{page.port}").status == 404
    assert ask(page, f"{own}../still.jpg").status == 404
    assert ask(page, f"{own}areas.json", body=b"x" * 70_000).status == 404


def test_no_other_machine_can_reach_it(page: ZonePage) -> None:
    assert page.address.startswith("http://127.0.0.1:")
    assert ask(page, below(page)).headers["content-security-policy"].startswith("default-src 'none'")


def test_a_replay_gives_a_frame_and_a_folder_without_one_is_named(write_config: Write, frames: Path) -> None:
    assert drawing.begin(write_config(), None).jpeg.startswith(b"\xff\xd8")

    for frame in frames.iterdir():
        frame.unlink()
    with pytest.raises(Misconfigured):
        drawing.begin(write_config(), None)


def test_the_verb_ends_once_areas_are_saved_and_prints_them(
    still: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[str] = []

    def invited() -> bool:
        said.append(capsys.readouterr().err)
        return "Open http" in "".join(said)

    def draw() -> None:
        wait_until(invited, "the invitation")
        address = "".join(said).split("Open ")[1].split(" ")[0]
        connection = http.client.HTTPConnection(address.split("/")[2], timeout=30)
        connection.request(
            "POST", f"/{address.split('/')[3]}/areas.json", b'{"zones": {"a": [[0, 0], [1, 0], [1, 1]]}}'
        )
        assert connection.getresponse().status == 200
        connection.close()

    browser = threading.Thread(target=draw)
    browser.start()
    code = main(["zones", str(still)])
    browser.join()

    assert code == 0
    assert capsys.readouterr().out == "zones:\n  a: [[0, 0], [1, 0], [1, 1]]\n"
