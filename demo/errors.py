"""What can go wrong in the demo."""


class Stuck(Exception):
    """The demo cannot go on; the sentence says what to do. `code` is the exit code: 75 try again, 78 mend something."""

    def __init__(self, sentence: str, code: int = 78) -> None:
        super().__init__(sentence)
        self.code = code
