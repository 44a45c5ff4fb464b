"""The one door to gpiozero: an LED and a buzzer at pins of the device."""

from types import TracebackType
from typing import Final, Self

from edge import config
from edge.errors import Misconfigured, TryAgain
from edge.signal.state import Light, Shown

SLOW_SECONDS: Final = 1.0
FAST_SECONDS: Final = 0.15
"""On, and then off, for so long."""

BEEP_SECONDS: Final = 0.3


class Pins:
    """An LED and a buzzer, either of which may be missing."""

    def __init__(self, settings: config.Signal) -> None:
        """Take the pins; raises `Misconfigured` without gpiozero, `TryAgain` where another program has them."""
        try:
            import gpiozero  # noqa: PLC0415  # of the extra `gpio`
        except ModuleNotFoundError as error:
            raise Misconfigured("`signal`: gpiozero is not installed: pip install 'wordcam[edge,gpio]'") from error
        self._shown: Shown | None = None
        try:
            self._led = None if settings.led_pin is None else gpiozero.LED(settings.led_pin)
            self._buzzer = None if settings.buzzer_pin is None else gpiozero.Buzzer(settings.buzzer_pin)
        except gpiozero.BadPinFactory as error:
            raise Misconfigured(f"`signal`: this machine has no pins that gpiozero knows: {error}") from error
        except gpiozero.GPIOZeroError as error:
            raise TryAgain(f"`signal`: {error}; see `led_pin` and `buzzer_pin`") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let the pins go, dark and silent."""
        for device in (self._led, self._buzzer):
            if device is not None:
                device.off()
                device.close()

    def show(self, shown: Shown) -> None:
        """Show it, where it is not shown already."""
        before, self._shown = self._shown, shown
        if self._led is not None and (before is None or before.light is not shown.light):
            match shown.light:
                case Light.STEADY:
                    self._led.on()
                case Light.SLOW:
                    self._led.blink(SLOW_SECONDS, SLOW_SECONDS)
                case Light.FAST:
                    self._led.blink(FAST_SECONDS, FAST_SECONDS)
        if self._buzzer is not None and (before is None or before.sounds is not shown.sounds):
            if shown.sounds:
                self._buzzer.beep(BEEP_SECONDS, BEEP_SECONDS)
            else:
                self._buzzer.off()
