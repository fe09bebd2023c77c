import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from classifier import ModelError
from events import PageFound, new_id
from guidewatch.judge_process import JudgeDiedError, JudgeProcess

AT = datetime(2026, 1, 1, tzinfo=UTC)


def page(text: str) -> PageFound:
    return PageFound(
        id=new_id(), at=AT, page_id=new_id(), url="http://a.example/", host="a.example", crawl_id="c",
        content_id=new_id(), fetched_at=AT, title="", text=text,
    )  # fmt: skip


@pytest.fixture(scope="module")
def judge():
    process = JudgeProcess()
    yield process
    process.close()


def test_pages_are_judged_one_for_one(judge):
    pages = [page("The garden lies behind the old house, and the neighbours water its trees."), page("")]
    judged = judge(pages)
    assert [one.page_id for one in judged] == [one.page_id for one in pages]
    assert not any(one.verdict.flagged for one in judged)


def test_a_killed_judge_is_said_to_have_died_and_the_next_one_judges(judge):
    os.kill(judge._process.pid, signal.SIGKILL)
    with pytest.raises(JudgeDiedError):
        judge([page("A text.")])
    assert len(judge([page("A text.")])) == 1


def test_a_model_that_cannot_be_loaded_is_told_as_in_this_process(tmp_path):
    with pytest.raises(ModelError, match=r"no meta\.json"):
        JudgeProcess(tmp_path)


def test_the_judge_ends_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import os\nfrom guidewatch.judge_process import JudgeProcess\n"
        "if __name__ == '__main__':\n"
        "    print(JudgeProcess()._process.pid, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=Path.cwd(), check=False)
    child = int(done.stdout)
    until = time.monotonic() + 20
    while _lives(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
