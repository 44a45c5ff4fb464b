"""Numbers in addresses: those that no row can have are refused before a database sees them."""

from typing import Annotated, Any, Final, TypeAlias

from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

LARGEST: Final = 2**31 - 1
"""Of incidents, silences, accounts and tokens: PostgreSQL's `integer`."""

LARGEST_CAPTION: Final = 2**63 - 1
"""Of captions and notifications: PostgreSQL's `bigint`, and every number of SQLite's."""

Before: TypeAlias = Annotated[
    int | None, QueryParameter(ge=1, le=LARGEST, description="Numbers below this: the next page.")
]
BeforeCaption: TypeAlias = Annotated[
    int | None, QueryParameter(ge=1, le=LARGEST_CAPTION, description="The last caption of the page before.")
]
AfterCaption: TypeAlias = Annotated[int, QueryParameter(ge=0, le=LARGEST_CAPTION)]


def check(connection: Any, _handler: Any) -> None:
    """Refuse a page whose number no row can have; raises `NotFoundException`."""
    number = connection.path_params.get("number")
    if isinstance(number, int) and not 0 < number <= LARGEST:
        raise NotFoundException
