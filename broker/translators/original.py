"""Leaves every sentence in the language of the camera."""

from broker.config import Language


class Original:
    """Translates nothing: the frame of a message is in the recipient's language, the sentence is not."""

    def translate(self, sentence: str, *, source: str, target: Language) -> str:  # noqa: ARG002 - the port's signature
        """Give the sentence itself."""
        return sentence
