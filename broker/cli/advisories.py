"""The verb `advisories`: which devices run a version that an advisory is about."""

import argparse

import msgspec

from broker.config import broker as config_file
from broker.incidents.presence import devices
from broker.monitor import advisories
from broker.monitor.advisories import Finding, Installed
from broker.store import migrate
from broker.store.engine import open_database, reading
from contract import release

HERE = "this server"


def run(arguments: argparse.Namespace) -> int:
    """Read advisories and bills of materials, and name the machines; raises `Misconfigured`, `TryAgain`."""
    known = advisories.read(arguments.advisories)
    bills = {bill.version: bill for bill in map(advisories.read_bill, arguments.bill)}
    engine = open_database(config_file.load(arguments.config).database)
    try:
        migrate.require_current(engine)
        with reading(engine) as connection:
            everyone = devices.everyone(connection)
    finally:
        engine.dispose()
    installed: list[Installed] = [Installed(HERE, advisories.PROGRAMS, release.VERSION)]
    for one in everyone:
        installed += advisories.packages(f"{one.site}/{one.device}", one.version, one.model, bills)
    found = advisories.findings(known, installed)
    if arguments.json:
        for finding in found:
            print(msgspec.json.encode(_record(finding)).decode())
        return 0
    print(*map(_line, found), sep="\n", end="\n" if found else "")
    affected = len({finding.installed.where for finding in found})
    print(f"{len(known)} advisories, {len(everyone)} devices and this server: {affected} affected")
    unknown = sorted({one.version for one in everyone if one.version and one.version not in bills})
    if unknown:
        print(
            f"Without a bill of materials (--bill) of {', '.join(unknown)} only wordcam itself and models are compared."
        )
    return 0


def _line(finding: Finding) -> str:
    advisory, installed = finding.advisory, finding.installed
    fixed = advisory.fixed_in(installed.name)
    remedy = f"; corrected in {fixed}" if fixed else "; no corrected version is known"
    return f"{installed.where}: {advisory.id}: {installed.name} {installed.version}: {advisory.summary}{remedy}"


def _record(finding: Finding) -> dict[str, str]:
    advisory, installed = finding.advisory, finding.installed
    return {
        "where": installed.where,
        "advisory": advisory.id,
        "package": installed.name,
        "version": installed.version,
        "fixed": advisory.fixed_in(installed.name),
        "summary": advisory.summary,
    }
