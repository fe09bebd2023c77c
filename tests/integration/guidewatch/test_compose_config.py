import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_docker_compose_accepts_the_file(tmp_path):
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    shutil.copy(ROOT / "docker-compose.yml", tmp_path)
    shutil.copy(ROOT / "Makefile", tmp_path)
    refused = subprocess.run([*command, "config"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "make env" in refused.stderr
    subprocess.run(["make", "-s", "env"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([*command, "config", "--quiet"], cwd=tmp_path, check=True, capture_output=True)
