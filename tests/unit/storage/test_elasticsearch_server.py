from __future__ import annotations

import pytest

from tests.servers import maven
from tests.servers.elasticsearch import running_elasticsearch


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> pytest.MonkeyPatch:
    """Return the patch of a machine without any program, and with nothing fetched yet."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("bin")))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(maven, "CACHE", tmp_path_factory.mktemp("cache"))
    return monkeypatch


def test_missing_java_fails_with_one_line(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(maven.MissingServerError, match=r"^Java 17 is missing: [^\n]*$"), running_elasticsearch():
        pass


def test_missing_maven_fails_with_one_line(bare: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    java = tmp_path_factory.mktemp("java") / "bin" / "java"
    java.parent.mkdir()
    java.touch()
    bare.setenv("JAVA_HOME", str(java.parents[1]))
    with pytest.raises(maven.MissingServerError, match=r"^Maven is missing: [^\n]*$"), running_elasticsearch():
        pass
