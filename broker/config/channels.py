"""The ways by which people are told, and the services that translate for them, as `broker.yaml` sets them."""

from pathlib import Path
from typing import Annotated, Final, Literal

import phonenumbers
from msgspec import Meta

from broker.config.section import Section

TWILIO_AUTH_TOKEN: Final = "WORDCAM_TWILIO_AUTH_TOKEN"  # noqa: S105 - the name of a variable
SOLAPI_SECRET: Final = "WORDCAM_SOLAPI_API_SECRET"  # noqa: S105 - as above
TRANSLATION_SECRET: Final = "WORDCAM_TRANSLATION_SECRET"  # noqa: S105 - as above

Channel = Literal["twilio", "solapi", "apprise", "console"]
PHONES: Final = frozenset({"twilio", "solapi", "console"})
"""Channels that reach a telephone."""

Address = Annotated[
    str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path, as https://api.example")
]
SecureUrl = Annotated[str, Meta(pattern=r"^(https://\S+)?$", description="an address that begins with https://")]
ServiceUrl = Annotated[str, Meta(pattern=r"^(https?://[^\s]+)?$", description="an address like http://127.0.0.1:5000")]
Seconds = Annotated[float, Meta(gt=0, le=300)]
Rate = Annotated[float, Meta(gt=0, le=1000)]


class Twilio(Section, frozen=True, kw_only=True):
    """A Twilio account. Without any account, text messages are printed instead."""

    account_sid: Annotated[str, Meta(pattern=r"^AC[0-9a-fA-F]{32}$", description="AC and 32 of 0-9 and a-f")]
    auth_token_file: Path | None = None
    """A file that holds the auth token alone; the variable WORDCAM_TWILIO_AUTH_TOKEN goes before it."""
    sender: str
    """Your Twilio number in E.164 (`+1…`), or a messaging service (`MG…`)."""
    base_url: Address = "https://api.twilio.com"
    """Where Twilio's API is: another address for a proxy or a trial server."""
    callback_url: SecureUrl = ""
    """Where Twilio reports what became of a message, as it reaches the console from outside; none, no reports."""
    timeout_seconds: Seconds = 15
    per_second: Rate = 20
    """Messages handed over at most; what a number cannot send at once waits at Twilio."""


class Solapi(Section, frozen=True, kw_only=True):
    """A Solapi account, for telephones in Korea."""

    api_key: Annotated[str, Meta(min_length=1, max_length=64)]
    api_secret_file: Path | None = None
    """A file that holds the API secret alone; the variable WORDCAM_SOLAPI_API_SECRET goes before it."""
    sender: str
    """Your number as registered with Solapi (발신번호): `02-1234-5678` or in international form."""
    base_url: Address = "https://api.solapi.com"
    timeout_seconds: Seconds = 15
    per_second: Rate = 10

    def __post_init__(self) -> None:
        number_of(self.sender, region="KR")


class Apprise(Section, frozen=True, kw_only=True):
    """How e-mail, webhooks, Slack, Telegram and the like are sent; where to, each recipient's file says."""

    timeout_seconds: Seconds = 30
    per_second: Rate = 1


class Translation(Section, frozen=True, kw_only=True):
    """Who puts sentences into the recipient's language. Whoever fails, the original sentence is sent."""

    by: Literal["offline", "libretranslate", "papago", "deepl", "none"] = "offline"
    base_url: ServiceUrl = ""
    """Where the service is; each has its usual address, but for LibreTranslate, which you run yourself."""
    key_id: str = ""
    """Papago's client id."""
    secret_file: Path | None = None
    """A file that holds the key or client secret alone; the variable WORDCAM_TRANSLATION_SECRET goes before it."""
    timeout_seconds: Annotated[float, Meta(gt=0, le=30)] = 3
    """An alert is worth more now in English than later in Korean."""
    remembered: Annotated[int, Meta(ge=0, le=1_000_000)] = 20_000
    """Translations kept in the database, the oldest going first; captions repeat themselves."""

    def __post_init__(self) -> None:
        if self.by == "libretranslate" and not self.base_url:
            raise ValueError("`by: libretranslate` needs `base_url`, such as http://127.0.0.1:5000")
        if self.by == "papago" and not self.key_id:
            raise ValueError("`by: papago` needs `key_id`, the client id of your application at NAVER Cloud")


def number_of(phone: str, *, region: str | None = None) -> phonenumbers.PhoneNumber:
    """Read a telephone number; raises `ValueError` saying what is wrong with it."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"{phone!r} is no international phone number; write it like +82 10 1234 5678") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"{phone!r} cannot be dialled: no country gives out such a number")
    return number


def e164(phone: str) -> str:
    """Give a number as gateways take it (`+821012345678`); raises `ValueError`."""
    return phonenumbers.format_number(number_of(phone), phonenumbers.PhoneNumberFormat.E164)
