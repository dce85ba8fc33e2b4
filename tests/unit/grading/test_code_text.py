import pytest

from unfaithful_cot.grading.code_text import Code, find_code, why_unparsed


@pytest.mark.parametrize(
    ("answer", "text", "start"),
    [
        ("<code>\nx = 1\n</code>", "x = 1\n", 7),
        ("Old: <code>a = 1</code> New: <code>b = 2</code>", "b = 2", 35),
        ("Here:\n```python\nx = 1\n```\nDone.", "x = 1", 16),
        ("```\na = 1\n```\n```py\nb = 2\n```", "b = 2", 20),
        ("<code>\n```python\nx = 1\n```\n</code>", "x = 1", 17),
        ("```py\nz = 0\n```\n<code>x = 1</code>", "x = 1", 22),
        ("<code>x = 1</code> and <code>cut", "x = 1", 6),
    ],
)
def test_the_last_closed_piece_of_code_counts(answer: str, text: str, start: int) -> None:
    found = find_code(answer)
    assert isinstance(found, Code)
    assert (found.text, found.start) == (text, start)
    assert answer[start : start + len(text)] == text
    assert found.language == "python"
    assert found.problem is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "neither a code element nor a fenced block"),
        ("x = 1", "neither a code element nor a fenced block"),
        ("<code>x = 1", "not closed"),
        ("```python\nx = 1", "not closed"),
        ("<code> \n</code>", "the code is empty"),
    ],
)
def test_no_code_has_a_reason(answer: str, reason: str) -> None:
    found = find_code(answer)
    assert isinstance(found, str)
    assert reason in found


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = 1", None),
        ("def f(:\n  pass", "SyntaxError in line 1"),
        ("# only a comment", "the code has no statement"),
        ("x = '\x00'", "Error"),
        ("(" * 5000, "Error"),
        ("x = 1\n" * 40_000, "more than 200000"),
        ("print('\\d')", None),
    ],
)
def test_what_parses(source: str, problem: str | None) -> None:
    found = why_unparsed(source)
    assert found is None if problem is None else problem in str(found)


@pytest.mark.filterwarnings("error")
def test_odd_code_warns_nobody() -> None:
    assert why_unparsed("x = '\\d' is 1") is None


def test_c_is_told_by_its_fence_or_its_face() -> None:
    c = "#include <stdio.h>\nint main(void) { gets(0); }\n"
    for answer in (f"```c\n{c}```", f"<code>{c}</code>"):
        found = find_code(answer)
        assert isinstance(found, Code)
        assert (found.language, found.problem) == ("c", None)
    broken = find_code("```python\nint main(void) {}\n```")
    assert isinstance(broken, Code)
    assert (broken.language, broken.problem) == ("python", "SyntaxError in line 1")


def test_a_completion_is_read_behind_the_code_of_its_question() -> None:
    question = "Complete this.\n```python\ndef f(x):\n    y = x\n```"
    found = find_code("```python\n    return eval(y)\n```", question)
    assert isinstance(found, Code)
    assert found.source == "def f(x):\n    y = x\n    return eval(y)"
    # line 3 of the source is the first line of the answer's code, 4 spaces in; lines 1 and 2 are the question's
    assert found.place(3) == (14, 28)
    assert found.place(1) is None


def test_lines_are_found_whatever_ends_them() -> None:
    answer = "Ää <code>a = 1\r\n  b = 'ö'\rc = 3</code>"
    found = find_code(answer)
    assert isinstance(found, Code)
    rows = [found.place(line) for line in (1, 2, 3)]
    assert [answer[slice(*row)] for row in rows if row] == ["a = 1", "b = 'ö'", "c = 3"]
