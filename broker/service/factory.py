"""Builds what the configuration asks for towards the outside: senders, the translator, the address of a ping."""

from datetime import timedelta
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine

from broker.config.broker import Config, Recipient
from broker.config.channels import SOLAPI_SECRET, TRANSLATION_SECRET, TWILIO_AUTH_TOKEN, Channel, Translation
from broker.config.errors import Misconfigured
from broker.notify.senders.by_recipient import SendersByRecipient
from broker.notify.senders.console import ConsoleSender
from broker.notify.senders.rate_limited import RateLimited
from broker.notify.translation.cached import CachedTranslator
from broker.notify.translation.none import NoTranslation
from broker.notify.translation.offline import OfflineTranslator
from broker.ports import Metrics, Sender, TranslationService, Translator
from foundation import secret

PATIENT = 2
"""A call is given up after so many of its account's timeouts: one to connect, one for the answer."""


def channel_of(config: Config, person: Recipient) -> Channel:
    """Return the channel of a recipient: their own, else that of the account that is configured."""
    if person.channel is not None:
        return person.channel
    return "twilio" if config.twilio else "solapi" if config.solapi else "console"


def by_korean_gateway(config: Config) -> frozenset[str]:
    """Name the recipients whose messages a Korean carrier counts, by whatever gateway they come."""
    people = (person for person in config.recipients if channel_of(config, person) in ("solapi", "twilio"))
    return frozenset(person.name for person in people if in_korea(person) or channel_of(config, person) == "solapi")


def in_korea(person: Recipient) -> bool:
    """Return whether someone has a Korean telephone number."""
    return person.e164.startswith("+82")


def unanswerable(config: Config) -> list[str]:
    """Name the recipients whose answers do not come back: Twilio has no Korean number that receives texts."""
    return [one.name for one in config.recipients if in_korea(one) and channel_of(config, one) == "twilio"]


def senders(config: Config, out: TextIO) -> SendersByRecipient:
    """Return everybody's sender; raises `Misconfigured` where an account or a secret is missing."""
    used = {channel_of(config, person) for person in config.recipients}
    made = {channel: _sender(config, channel, out) for channel in sorted(used)}
    return SendersByRecipient({person.name: made[channel_of(config, person)] for person in config.recipients})


def longest_call(config: Config) -> timedelta:
    """Return how long handing a message over may take by the slowest channel in use."""
    accounts = {"twilio": config.twilio, "solapi": config.solapi, "apprise": config.apprise}
    used = (accounts.get(channel_of(config, person)) for person in config.recipients)
    return timedelta(seconds=max((account.timeout_seconds * PATIENT for account in used if account), default=0))


def translator(config: Config, engine: Engine | None, metrics: Metrics) -> Translator:
    """Return the translator, which keeps what it translated where there is a database; raises `Misconfigured`."""
    settings = config.translation
    if settings.by == "none":
        return NoTranslation()
    if settings.by == "offline":
        return OfflineTranslator()
    return CachedTranslator(_service(settings), OfflineTranslator(), engine, settings.remembered, metrics=metrics)


def _service(settings: Translation) -> TranslationService:
    key = secret.read(settings.secret_file, TRANSLATION_SECRET, field="translation.secret_file")
    if not key and settings.by != "libretranslate":
        raise Misconfigured(f"translation.secret_file: no key; name a file that holds it, or set {TRANSLATION_SECRET}")
    # Importing the HTTP client takes a quarter of a second, which `rules test` need not wait for.
    from broker.notify.translation import deepl, libretranslate, papago  # noqa: PLC0415 - see above

    if settings.by == "deepl":
        return deepl.DeepL(key, base_url=settings.base_url or deepl.address_of(key), seconds=settings.timeout_seconds)
    if settings.by == "papago":
        base_url = settings.base_url or papago.ADDRESS
        return papago.Papago(settings.key_id, key, base_url=base_url, seconds=settings.timeout_seconds)
    return libretranslate.LibreTranslate(key, base_url=settings.base_url, seconds=settings.timeout_seconds)


def _sender(config: Config, channel: Channel, out: TextIO) -> Sender:
    if channel == "twilio":
        return _twilio(config)
    if channel == "solapi":
        return _solapi(config)
    if channel == "apprise":
        return _apprise(config)
    return ConsoleSender(out, language=config.language)


def _twilio(config: Config) -> Sender:
    account = config.twilio
    if account is None:
        raise Misconfigured("recipients: someone is reached by twilio, and no section `twilio` holds an account")
    token = secret.read(account.auth_token_file, TWILIO_AUTH_TOKEN, field="twilio.auth_token_file")
    if not token:
        raise Misconfigured(f"twilio.auth_token_file: no token; name a file that holds it, or set {TWILIO_AUTH_TOKEN}")
    # Twilio's library takes half a second to import, which `rules test` and `watch` need not wait for.
    from broker.notify.senders.twilio import TwilioSender  # noqa: PLC0415 - see above

    def make() -> Sender:
        return TwilioSender(
            account.account_sid,
            token,
            sender=account.sender,
            base_url=account.base_url,
            timeout_seconds=account.timeout_seconds,
            callback_url=account.callback_url,
        )

    return RateLimited(make, seconds=account.timeout_seconds * PATIENT, per_second=account.per_second)


def _solapi(config: Config) -> Sender:
    account = config.solapi
    if account is None:
        raise Misconfigured("recipients: someone is reached by solapi, and no section `solapi` holds an account")
    key = secret.read(account.api_secret_file, SOLAPI_SECRET, field="solapi.api_secret_file")
    if not key:
        raise Misconfigured(f"solapi.api_secret_file: no secret; name a file that holds it, or set {SOLAPI_SECRET}")
    from broker.notify.senders.solapi import SolapiSender  # noqa: PLC0415 - as for Twilio

    def make() -> Sender:
        return SolapiSender(account, key)

    return RateLimited(make, seconds=account.timeout_seconds * PATIENT, per_second=account.per_second)


def _apprise(config: Config) -> Sender:
    files = {person.name: person.address_file for person in config.recipients if person.address_file is not None}
    from broker.notify.senders.apprise import AppriseSender  # noqa: PLC0415 - as for Twilio

    def address_of(name: str) -> str:
        return _address(name, files.get(name))

    def make() -> Sender:
        return AppriseSender(address_of, timeout_seconds=config.apprise.timeout_seconds)

    first = AppriseSender(address_of, timeout_seconds=config.apprise.timeout_seconds)
    for person in config.recipients:
        if channel_of(config, person) == "apprise":
            first.service(person.name)
    return RateLimited(make, seconds=config.apprise.timeout_seconds * PATIENT, per_second=config.apprise.per_second)


def _address(name: str, file: Path | None) -> str:
    """Read an address; raises `Misconfigured`. It is read each time, so that a changed file needs no restart."""
    if file is None:
        raise Misconfigured(f"recipients: {name}: no `address_file`")
    lines = [line.strip() for line in secret.text(file, field=f"recipients: {name}: address_file").splitlines()]
    addresses = [line for line in lines if line and not line.startswith("#")]
    if len(addresses) != 1:
        raise Misconfigured(
            f"recipients: {name}: address_file: {file} holds {len(addresses)} addresses; write one, and name another"
            " recipient for another channel"
        )
    return addresses[0]
