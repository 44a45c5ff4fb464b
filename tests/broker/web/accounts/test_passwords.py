"""Which new passwords are refused, whoever they are for."""

import pytest

from broker.web.accounts.passwords import MAX_CHARS, refusal


@pytest.mark.parametrize(
    "password",
    [
        *("password1234", "Passw0rd1234", "administrator1", "qwertyuiop12", "123456789012", "hunter2hunter2"),
        *("iloveyou2026", "letmeinletmein", "wordcamwordcam", "abcdefghijkl", "mina-mina-mina"),
        *("rhksflwk1234", "dkssudgktpdy1", "관리자비밀번호관리자비밀번호"),
    ],
)
def test_a_password_that_guessers_try_first_is_refused(password: str) -> None:
    assert refusal(password, name="mina") == "password.easy"


@pytest.mark.parametrize(
    "password", ["a long enough phrase", "correct horse battery", "맑은 하늘 아래 고양이", "kT9#vLq2!xWe"]
)
def test_a_few_words_or_a_random_password_are_taken(password: str) -> None:
    assert refusal(password, name="mina") == ""


def test_a_short_and_an_endless_password_are_refused() -> None:
    assert refusal("kT9#vLq2!xW", name="mina") == "password.short"
    assert refusal("kT9#vLq2!xWe" * 20, name="mina") == "password.long"
    assert refusal(("kT9#vLq2!xWe" * 20)[:MAX_CHARS], name="mina") == ""


def test_a_name_of_one_letter_may_occur_in_the_password() -> None:
    assert refusal("a long enough phrase", name="a") == ""
