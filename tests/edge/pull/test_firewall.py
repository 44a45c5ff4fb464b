"""Rules by which `pull` reaches its camera and nothing else."""

import shutil
import subprocess

import pytest

from edge import config
from edge.errors import TryAgain
from edge.pull import firewall


def camera(url: str) -> config.Rtsp:
    return config.Rtsp(url=url)


def test_the_drop_in_allows_the_camera_alone() -> None:
    lines = firewall.systemd(camera("rtsp://192.0.2.10:554/live")).splitlines()

    assert lines[1:] == ["[Service]", "IPAddressAllow=192.0.2.10"]


def test_a_name_is_looked_up_and_better_written_as_a_number() -> None:
    said = firewall.systemd(camera("rtsp://localhost/live"))

    assert "IPAddressAllow=127.0.0.1" in said
    assert "in place of localhost in camera.url" in said


def test_a_name_that_nobody_knows_is_named() -> None:
    with pytest.raises(TryAgain, match=r"no address is known for 'nobody\.invalid'"):
        firewall.systemd(camera("rtsp://nobody.invalid/live"))


def test_the_rules_for_nftables_accept_the_camera_and_reject_the_rest() -> None:
    rules = firewall.nftables(camera("http://[2001:db8::7]/snapshot.jpg"))

    assert 'meta skuid "wordcam-pull" ip6 daddr 2001:db8::7 accept' in rules
    assert rules.index("accept\n    meta") < rules.index("reject")


def test_nft_takes_the_rules() -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
    rules = firewall.nftables(camera("rtsp://192.0.2.10/live")).replace('"wordcam-pull"', "12345")

    done = subprocess.run(["nft", "--check", "-f", "-"], input=rules, capture_output=True, text=True, check=False)

    assert done.returncode == 0 or "Operation not permitted" in done.stderr, done.stderr
