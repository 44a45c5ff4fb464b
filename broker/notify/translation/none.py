"""Leaves every sentence in the language of the camera."""

from collections.abc import Sequence

from broker.config.section import Language


class NoTranslation:
    """Translates nothing: the frame of a message is in the recipient's language, the sentence is not."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:
        """Return the first of `versions`."""
        return self.versions(sentence, source=source, target=target)[0]

    def versions(self, sentence: str, *, source: str, target: Language) -> Sequence[str]:  # noqa: ARG002 - the port's
        """Return the sentence itself."""
        return (sentence,)
