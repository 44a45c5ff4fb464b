"""The verbs of `wordcam-broker models`: the signed repository of models, and to whom each is offered."""

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from broker.config import broker as config_file
from broker.config.broker import Config
from broker.config.errors import Misconfigured
from broker.incidents.presence import devices
from broker.incidents.presence.devices import Device
from broker.ingest.rollout import repository, stages
from broker.ingest.rollout.repository import Listed, Repository
from broker.ingest.rollout.stages import Rollout
from broker.retention import audit
from broker.retention.audit import Entry
from broker.store import migrate
from broker.store.engine import open_database, reading, writing
from contract import package
from contract.errors import Refused

TERMINAL: Final = "terminal"

NEAREST: Final = 3
"""Devices that are named where a percentage includes none."""


def run(arguments: argparse.Namespace) -> int:
    """Run one of them; raises `Misconfigured`, `TryAgain`."""
    config = config_file.load(arguments.config)
    if config.models is None:
        raise Misconfigured(
            f"{arguments.config}: has no `models`; write `models:` and under it `folder: models`, then run this again"
        )
    verbs: dict[str, Callable[[argparse.Namespace, Config, Repository], int]] = {
        "init": _init,
        "publish": _publish,
        "offer": _offer,
        "withdraw": _withdraw,
        "list": _list,
        "refresh": _refresh,
        "rotate": _rotate,
    }
    return verbs[arguments.models_verb](arguments, config, Repository(config.models.folder))


def _init(arguments: argparse.Namespace, _config: Config, repo: Repository) -> int:
    keys: Path = arguments.root_keys
    if (repo.folder / repository.METADATA).exists():
        raise Misconfigured(f"{repo.folder}: there is a repository already, and devices that trust it")
    if keys.resolve().is_relative_to(repo.folder.resolve()):
        raise Misconfigured(f"--root-keys {keys}: lies in the repository itself; name a folder on another medium")
    for folder in (repo.folder, keys):
        _require_writable(folder)
    print(f"{keys}: a root key is made, which says whose signatures count. Keep it off this server, and a copy of it.")
    print(f"{repo.folder}/keys: keys for targets, snapshot and timestamp are made, for this server alone")
    print(f"{repo.folder}: an empty repository is made; the console serves it under /models")
    if arguments.dry_run:
        return 0
    made = repository.create(repo.folder, keys, now=_now())
    print(
        f"Done; the root expires on {made.expiries()['root']:%Y-%m-%d}. Devices that are enrolled from now on trust it."
    )
    print(f"For a device that is enrolled already, copy {repo.folder}/metadata/1.root.json to it: docs/updates.md")
    print("Next:")
    print("  unplug the medium with the root key")
    print("  wordcam-broker models publish BUNDLE")
    return 0


def _publish(arguments: argparse.Namespace, config: Config, repo: Repository) -> int:
    try:
        read = package.summary(arguments.bundle)
    except Refused as error:
        raise Misconfigured(error.detail) from error
    target = read.target(arguments.device_class)
    _require_names(arguments)
    repo.expiries()
    print(f"{arguments.bundle}: {read.model}, {sum(file.bytes for file in read.files.values()):,} bytes")
    print(f"is signed and put into {repo.folder} as {target}, for devices of class {arguments.device_class}")
    return _stage(arguments, config, target, lambda: repo.add(arguments.bundle, arguments.device_class, now=_now()))


def _offer(arguments: argparse.Namespace, config: Config, repo: Repository) -> int:
    _require_names(arguments)
    target = _target(repo, arguments.model, arguments.device_class)
    return _stage(arguments, config, target, lambda: None)


def _stage(arguments: argparse.Namespace, config: Config, target: str, first: Callable[[], Listed | None]) -> int:
    """Say whom a package is offered to, and do it after `first`."""
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            everyone = devices.everyone(connection)
            running = stages.active(connection)
        print(*_consequences(arguments, target, everyone, running), sep="\n")
        if arguments.dry_run:
            return 0
        first()
        with writing(engine) as connection:
            stages.start(
                connection,
                target,
                arguments.device_class,
                sites=tuple(arguments.site),
                percent=arguments.percent,
                by=_by(),
                at=_now(),
            )
            _note(connection, "model-offered", target, f"{arguments.percent:g} % {' '.join(arguments.site)}".strip())
    finally:
        engine.dispose()
    print("Done. `wordcam-broker models list` and the console say what devices make of it.")
    return 0


def _consequences(
    arguments: argparse.Namespace, target: str, everyone: Sequence[Device], running: Sequence[Rollout]
) -> list[str]:
    planned = Rollout(
        id=0,
        target=target,
        device_class=arguments.device_class,
        sites=tuple(arguments.site),
        percent=arguments.percent,
        state=stages.State.ACTIVE,
        because="",
        started_by="",
        started_at=_now(),
        changed_at=_now(),
    )
    said = [(one, one.update_report) for one in everyone if one.update_report is not None]
    mine = [one for one, report in said if planned.includes(one.site, one.device, report.device_class)]
    where = f" of {', '.join(arguments.site)}" if arguments.site else ""
    lines = [
        f"{arguments.percent:g} % of the devices{where} are offered it: {len(mine)} of {len(said)} that take updates"
        + (": " + ", ".join(f"{one.site}/{one.device}" for one in mine[:20]) if mine else "")
    ]
    lines += [
        f"{one.target} is offered to no further device"
        for one in running
        if one.device_class == arguments.device_class and one.target != target
    ]
    if said and not mine:
        near = [one for one, report in said if report.device_class == arguments.device_class]
        near = sorted(near, key=lambda one: stages.share(target, one.site, one.device))[:NEAREST]
        lines += [
            f"--percent {stages.share(target, one.site, one.device) + 0.5:.0f} would include {one.site}/{one.device}"
            for one in near
        ]
    return lines


def _withdraw(arguments: argparse.Namespace, config: Config, repo: Repository) -> int:
    target = _target(repo, arguments.model, arguments.device_class)
    print(f"{target}: is offered to nobody any more, and taken off the signed list.")
    print("Devices that run it keep it: publish an earlier bundle with a higher version to change them.")
    if arguments.dry_run:
        return 0
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with writing(engine) as connection:
            stages.withdraw(connection, target, because=arguments.because, at=_now())
            _note(connection, "model-withdrawn", target, arguments.because)
    finally:
        engine.dispose()
    repo.remove(target, now=_now())
    return 0


def _list(arguments: argparse.Namespace, config: Config, repo: Repository) -> int:
    packages, ends = repo.packages(), repo.expiries()
    engine = open_database(config.database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            rollouts, everyone = stages.newest(connection), devices.everyone(connection)
    finally:
        engine.dispose()
    latest = {one.target: one for one in reversed(rollouts)}
    for one in packages:
        rollout = latest.get(one.target)
        counts = stages.counted(rollout, everyone) if rollout else None
        if arguments.json:
            print(msgspec.json.encode({"package": one, "rollout": rollout, "counts": counts}).decode())
        elif rollout is None or counts is None:
            print(f"{one.model}  {one.device_class}  {one.length:,} bytes  never offered")
        else:
            where = ", ".join(rollout.sites) or "all sites"
            did = f"offered to {counts.included}, running on {counts.running}, failed on {counts.failed}"
            because = f"  ({rollout.because})" if rollout.because else ""
            share = f"{rollout.percent:g} % of {where}"
            print(
                f"{one.model}  {one.device_class}  {one.length:,} bytes  {rollout.state.value}  {share}  {did}{because}"
            )
    if not arguments.json:
        print(*(f"signature of {role} until {end:%Y-%m-%d %H:%M} UTC" for role, end in ends.items()), sep="\n")
    return 0


def _refresh(arguments: argparse.Namespace, _config: Config, repo: Repository) -> int:
    for role, end in repo.expiries().items():
        print(f"signature of {role} until {end:%Y-%m-%d %H:%M} UTC")
    print("timestamp is signed anew, and snapshot and targets where less than half their time is left")
    if arguments.root_keys:
        print(f"root is signed anew by the keys in {arguments.root_keys}")
    if arguments.dry_run:
        return 0
    if arguments.root_keys:
        print(f"root is at version {repo.renew_root(arguments.root_keys, now=_now())}")
    print(f"signed: {', '.join(repo.refresh(now=_now()))}")
    return 0


def _rotate(arguments: argparse.Namespace, _config: Config, repo: Repository) -> int:
    where = arguments.root_keys if arguments.role == "root" else repo.folder / repository.KEYS
    print(f"{arguments.role}: a new key is made in {where}; the old one counts no more, as devices learn by themselves")
    repo.expiries()
    _require_writable(where)
    if arguments.dry_run:
        return 0
    version = repo.rotate(arguments.role, arguments.root_keys, now=_now())
    print(f"Done; the root is at version {version}.")
    return 0


def _require_names(arguments: argparse.Namespace) -> None:
    if not 0 < arguments.percent <= 100:
        raise Misconfigured(f"--percent {arguments.percent:g}: write a number above 0 and up to 100")


def _target(repo: Repository, model: str, device_class: str) -> str:
    found = [one.target for one in repo.packages() if one.model == model and one.device_class == device_class]
    if not found:
        known = ", ".join(sorted({f"{one.model} for {one.device_class}" for one in repo.packages()})) or "none"
        raise Misconfigured(f"{model}: is not published for devices of class {device_class}; published: {known}")
    return found[0]


def _require_writable(folder: Path) -> None:
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not os.access(there, os.W_OK):
        raise Misconfigured(f"{there}: cannot be written by this user")


def _note(connection: object, action: str, subject: str, detail: str) -> None:
    audit.add(connection, Entry(_now(), _by(), TERMINAL, action, subject, detail))  # type: ignore[arg-type]


def _by() -> str:
    return os.environ.get("USER", "") or TERMINAL


def _now() -> datetime:
    return datetime.now(UTC)
