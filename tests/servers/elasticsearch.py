"""A real Elasticsearch server for the tests, from a Maven artifact, without Docker.

The artifact is the server's core with security; it is fetched once into ``.cache/servers`` and started on free ports in
a temporary folder. ``GUIDEWATCH_TEST_ELASTICSEARCH`` (a URL) points the tests at a running server instead.
"""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from elasticsearch import ApiError, Elasticsearch, TransportError

from tests.servers.kafka import free_ports
from tests.servers.maven import MissingServerError, java_home, locked_cache, maven

VERSION = "8.19.21"
ARTIFACT = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
USER = "guidewatch"

SETTINGS = """\
cluster.name: guidewatch-test
discovery.type: single-node
network.host: 127.0.0.1
http.port: {port}
transport.port: {transport_port}
path.data: {folder}/data
path.logs: {folder}/logs
path.repo: {folder}/snapshots
cluster.routing.allocation.disk.threshold_enabled: false
xpack.security.enabled: {security}
xpack.security.enrollment.enabled: false
xpack.security.transport.ssl.enabled: false
xpack.security.http.ssl.enabled: false
"""


@dataclass(frozen=True)
class ElasticsearchServer:
    """A running server: where it answers, and the user to use when security is on."""

    url: str
    user: str | None = None
    password: str | None = None
    ca_certs: str | None = None

    def client_options(self) -> dict[str, object]:
        """Return what `storage.elastic.ElasticStore` takes as ``client_options``."""
        options: dict[str, object] = {"hosts": [self.url]}
        if self.user is not None:
            options["basic_auth"] = (self.user, self.password)
        if self.ca_certs is not None:
            options["ca_certs"] = self.ca_certs
        return options

    def client(self) -> Elasticsearch:
        """Return a client of its own; the caller closes it."""
        return Elasticsearch(**self.client_options(), request_timeout=30)  # type: ignore[arg-type]


Configure = Callable[[ElasticsearchServer, Path], ElasticsearchServer]


@contextmanager
def running_elasticsearch(
    *, security: bool = False, heap: str = "1g", collector: str = "Serial"
) -> Iterator[ElasticsearchServer]:
    """Start a server, yield it when it answers, and end it, whatever happens in between.

    Parameters
    ----------
    security
        Ask for a user and a password, as production does.
    heap
        Size of the Java heap, as in ``-Xmx``.
    collector
        ``Serial`` costs least; a node that is written to as fast as it can needs ``G1``, which production has: with the
        other one, Elasticsearch counts garbage as memory in use and in the end takes nothing more.

    Raises
    ------
    MissingServerError
        Java or Maven is missing, the artifact cannot be had, or the server does not start.
    """
    with elasticsearch_node(security=security, heap=heap, collector=collector) as node:
        node.start()
        yield node.server


@contextmanager
def elasticsearch_node(
    *,
    security: bool = False,
    heap: str = "1g",
    collector: str = "Serial",
    configure: Configure = lambda server, _: server,
) -> Iterator[ElasticsearchNode]:
    """Yield a node that is configured and not yet started; end it and remove its folder, whatever happens in between.

    ``configure(server, folder of its settings)`` may change those, and returns where it will answer then. The other
    parameters and the errors are those of `running_elasticsearch`.
    """
    java = java_home()
    distribution = _distribution()
    folder = Path(tempfile.mkdtemp(prefix="guidewatch-elasticsearch-"))
    node: ElasticsearchNode | None = None
    try:
        options = [f"-XX:+Use{collector}GC", f"-Xms{heap}", f"-Xmx{heap}"]
        server = configure(_configure(folder, distribution, security=security, options=options), folder / "config")
        account = _account()
        home = _readable_home(distribution, folder, account)
        _own(folder, account)
        node = ElasticsearchNode(server, lambda: _spawn(home, folder, java, account), folder)
        yield node
    finally:
        if node is not None:
            node.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


class ElasticsearchNode:
    """A node of one test run: ``stop`` and ``start`` keep its port and its data.

    Parameters
    ----------
    server
        Where it will answer.
    spawn
        Starts its process.
    folder
        Has its settings, data and logs.
    """

    def __init__(self, server: ElasticsearchServer, spawn: Callable[[], subprocess.Popen[bytes]], folder: Path) -> None:
        self.server = server
        self._spawn = spawn
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the node and return when it answers.

        Raises
        ------
        MissingServerError
            It does not answer in time, or it ends.
        """
        self._process = self._spawn()
        _wait_until_up(self._process, self._folder, self.server)

    def stop(self, *, at_once: bool = False) -> None:
        """End the node: in good order, or with ``at_once`` as a power cut does."""
        process, self._process = self._process, None
        if process is not None:
            _stop(process, at_once=at_once)


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[ElasticsearchServer]:
    """Yield the session's server, without security; a missing Java or Maven fails the test with one line."""
    given = os.environ.get("GUIDEWATCH_TEST_ELASTICSEARCH")
    if given:
        yield ElasticsearchServer(given)
        return
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_elasticsearch())
        except MissingServerError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        yield server


@pytest.fixture(scope="session")
def elasticsearch_url(elasticsearch_server: ElasticsearchServer) -> str:
    """Return the URL of the session's server."""
    return elasticsearch_server.url


@pytest.fixture
def elasticsearch_prefix(elasticsearch_server: ElasticsearchServer) -> Iterator[str]:
    """Yield an index prefix of this test's own."""
    with own_prefix(elasticsearch_server) as prefix:
        yield prefix


@contextmanager
def own_prefix(server: ElasticsearchServer) -> Iterator[str]:
    """Yield an index prefix that nothing else uses, and delete its indices and templates afterwards."""
    prefix = f"test-{secrets.token_hex(6)}"
    try:
        yield prefix
    finally:
        with server.client() as client:
            found = client.indices.get(index=f"{prefix}-*", expand_wildcards="all", features="aliases")
            if found.body:
                client.indices.delete(index=list(found.body))
            client.options(ignore_status=404).indices.delete_index_template(name=f"{prefix}-*")


def _distribution() -> Path:
    with locked_cache("elasticsearch") as cache:
        home = cache / f"elasticsearch-{VERSION}"
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                maven("copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={folder}")
                _unpack(Path(folder) / f"{home.name}.zip", Path(folder) / home.name)
                (Path(folder) / home.name).rename(home)
    return home


def _unpack(archive: Path, home: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        content.extractall(home.parent)
    home.parent.chmod(0o755)
    for script in (home / "bin").iterdir():
        script.chmod(0o755)


def _configure(folder: Path, distribution: Path, *, security: bool, options: Sequence[str]) -> ElasticsearchServer:
    config = folder / "config"
    shutil.copytree(distribution / "config", config)
    port, transport_port = free_ports(2)
    settings = SETTINGS.format(folder=folder, security=str(security).lower(), port=port, transport_port=transport_port)
    (config / "elasticsearch.yml").write_text(settings)
    (config / "jvm.options").write_text("\n".join([*options, f"-Djava.io.tmpdir={folder}/tmp"]) + "\n")
    for name in ("tmp", "logs", "data", "snapshots"):
        (folder / name).mkdir()
    url = f"http://127.0.0.1:{port}"
    if not security:
        return ElasticsearchServer(url)
    password = secrets.token_urlsafe(24)
    (config / "users").write_text(f"{USER}:{password_hash(password)}\n")
    (config / "users_roles").write_text(f"superuser:{USER}\n")
    return ElasticsearchServer(url, USER, password)


def password_hash(password: str) -> str:
    rounds, salt = 10_000, secrets.token_bytes(32)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, dklen=32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _account() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _readable_home(distribution: Path, folder: Path, account: pwd.struct_passwd | None) -> Path:
    if account is None:
        return distribution
    test = ["test", "-r", str(distribution / "lib")]
    if subprocess.run(test, user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=False).returncode == 0:
        return distribution
    return Path(shutil.copytree(distribution, folder / "home"))


def _own(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid)


def _spawn(home: Path, folder: Path, java: Path, account: pwd.struct_passwd | None) -> subprocess.Popen[bytes]:
    environment = {
        "ES_JAVA_HOME": str(java),
        "ES_PATH_CONF": str(folder / "config"),
        "ES_TMPDIR": str(folder / "tmp"),
        "HOME": str(folder),
        "HOSTNAME": "localhost",
        "PATH": os.defpath,
    }
    identity = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with (folder / "logs" / "console.log").open("wb") as console:
        return subprocess.Popen(
            [str(home / "bin" / "elasticsearch")],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **identity,  # type: ignore[arg-type]
        )


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path, server: ElasticsearchServer) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(server):
            return
        time.sleep(0.2)
    tail = (folder / "logs" / "console.log").read_text(errors="replace").splitlines()[-15:]
    raise MissingServerError("Elasticsearch does not start:\n" + "\n".join(tail))


def _answers(server: ElasticsearchServer) -> bool:
    with server.client() as client:
        try:
            return client.cluster.health(wait_for_status="yellow", timeout="1s")["status"] != "red"
        except (ApiError, TransportError):
            return False


def _stop(process: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """End the launcher and the server, which share one process group."""
    for sign in (signal.SIGKILL,) if at_once else (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(STOP_TIMEOUT_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
