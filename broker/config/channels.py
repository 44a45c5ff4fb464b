"""The parts `twilio`, `solapi`, `apprise` and `translation` of `broker.yaml`."""

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
"""Channels that send to a telephone number."""

Address = Annotated[
    str, Meta(pattern=r"^https?://[^/\s]+$", description="an address without a path, as https://api.example")
]
SecureUrl = Annotated[str, Meta(pattern=r"^(https://\S+)?$", description="an address that begins with https://")]
ServiceUrl = Annotated[str, Meta(pattern=r"^(https?://[^\s]+)?$", description="an address like http://127.0.0.1:5000")]
Seconds = Annotated[float, Meta(gt=0, le=300)]
Rate = Annotated[float, Meta(gt=0, le=1000)]


class Twilio(Section, frozen=True, kw_only=True):
    """A Twilio account. Without any account, notifications are printed."""

    account_sid: Annotated[str, Meta(pattern=r"^AC[0-9a-fA-F]{32}$", description="AC and 32 of 0-9 and a-f")]
    auth_token_file: Path | None = None
    """File that holds the auth token alone; the environment variable WORDCAM_TWILIO_AUTH_TOKEN goes before it."""
    sender: str
    """Twilio number in E.164 (`+1…`), or messaging service (`MG…`), to send from."""
    base_url: Address = "https://api.twilio.com"
    """Address of the API; another one for a proxy or a test server."""
    callback_url: SecureUrl = ""
    """Address of the console, as Twilio reaches it, for delivery reports; empty for none."""
    answer_url: SecureUrl = ""
    """Address that is registered at Twilio for incoming messages, with its query if it has one; without it, the path
    `/twilio/inbound` on the host of `callback_url` or of the console."""
    timeout_seconds: Seconds = 15
    per_second: Rate = 20
    """Rate limit: notifications sent per second. Twilio queues what the number cannot send at once."""


class Solapi(Section, frozen=True, kw_only=True):
    """A Solapi account, for telephone numbers in Korea."""

    api_key: Annotated[str, Meta(min_length=1, max_length=64)]
    api_secret_file: Path | None = None
    """File that holds the API secret alone; the environment variable WORDCAM_SOLAPI_API_SECRET goes before it."""
    sender: str
    """Sender number registered with Solapi (발신번호): `02-1234-5678`, or in international form."""
    base_url: Address = "https://api.solapi.com"
    timeout_seconds: Seconds = 15
    per_second: Rate = 10

    def __post_init__(self) -> None:
        number_of(self.sender, region="KR")


class Apprise(Section, frozen=True, kw_only=True):
    """E-mail, webhooks, Slack, Telegram and others; each recipient's `address_file` holds the address."""

    timeout_seconds: Seconds = 30
    per_second: Rate = 1


class Translation(Section, frozen=True, kw_only=True):
    """Translation of captions into the recipient's language. When it fails, the original caption is sent."""

    by: Literal["offline", "libretranslate", "papago", "deepl", "none"] = "offline"
    base_url: ServiceUrl = ""
    """Address of the service; required for LibreTranslate, which you run yourself."""
    key_id: str = ""
    """Client id of Papago."""
    secret_file: Path | None = None
    """File that holds the key or client secret alone; the environment variable WORDCAM_TRANSLATION_SECRET goes before
    it."""
    timeout_seconds: Annotated[float, Meta(gt=0, le=30)] = 3
    """Longest wait for a translation, so that no notification is late for want of one."""
    remembered: Annotated[int, Meta(ge=0, le=1_000_000)] = 20_000
    """Translations kept in the database; when full, the oldest is deleted."""

    def __post_init__(self) -> None:
        if self.by == "libretranslate" and not self.base_url:
            raise ValueError("`by: libretranslate` needs `base_url`, such as http://127.0.0.1:5000")
        if self.by == "papago" and not self.key_id:
            raise ValueError("`by: papago` needs `key_id`, the client id of your application at NAVER Cloud")


def number_of(phone: str, *, region: str | None = None) -> phonenumbers.PhoneNumber:
    """Parse a telephone number; raises `ValueError` saying what is wrong with it."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(
            f"{phone!r} is not an international telephone number; write it like +82 10 1234 5678"
        ) from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"{phone!r} is not a valid number in any country")
    return number


def e164(phone: str) -> str:
    """Return a telephone number in E.164 (`+821012345678`); raises `ValueError`."""
    return phonenumbers.format_number(number_of(phone), phonenumbers.PhoneNumberFormat.E164)
