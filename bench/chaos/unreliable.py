"""How an unreliable text-message provider treats requests: some late, some with an error after they were accepted."""

import random
from collections.abc import Callable
from typing import Final

from testing.fake_http import Behaviour, Treatment

SLOWEST_SECONDS: Final = 0.6
"""Longest wait before a message is accepted, and before that is answered: a kill may fall in between."""

SLOW, ACCEPTED_WITH_ERROR, LOST = 0.2, 0.04, 0.02
"""Shares of the messages that are slow, that are accepted though the answer is 500, and that are not accepted."""


def unreliable(chance: random.Random) -> Callable[[], Treatment]:
    """Return a function that draws how the next message is treated."""

    def draw() -> Treatment:
        luck, before, after = chance.random(), chance.random(), chance.random()
        slowest = SLOWEST_SECONDS if luck < SLOW else 0.0
        behaviour = Behaviour.NORMAL
        if luck > 1 - LOST:
            behaviour = Behaviour.SERVER_ERROR
        elif luck > 1 - LOST - ACCEPTED_WITH_ERROR:
            behaviour = Behaviour.ACCEPTED_SERVER_ERROR
        return Treatment(behaviour, before * slowest, after * slowest)

    return draw
