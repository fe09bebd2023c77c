"""Kafka and Elasticsearch as production has them: TLS, users, and rights that are enforced."""

from __future__ import annotations

import dataclasses
import secrets
import shlex
import shutil
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.servers.certificates import Authority
from tests.servers.elasticsearch import (
    ElasticsearchNode,
    ElasticsearchServer,
    elasticsearch_node,
    password_hash,
)
from tests.servers.kafka import KafkaServer, free_ports

ADMIN = "admin"
HOME = "127.0.0.1"

_TLS_FOR_ELASTICSEARCH = """\
xpack.license.self_generated.type: {licence}
xpack.security.http.ssl.enabled: true
xpack.security.http.ssl.key: key.pem
xpack.security.http.ssl.certificate: certificate.pem
resource.reload.interval.high: 500ms
"""

_BROKER = """\
listeners=SASL_SSL://127.0.0.1:{port},MISNAMED://127.0.0.1:{misnamed},MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=SASL_SSL:SASL_SSL,MISNAMED:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={plain}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram}
listener.name.misnamed.scram-sha-512.sasl.jaas.config={scram}
listener.name.misnamed.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.misnamed.ssl.keystore.location={misnamed_certificate}
listener.name.mutual.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:admin;User:CN=operator;User:ANONYMOUS
"""
"""Only the controller's listener lets anybody in without a name, on loopback; no client speaks to it."""


class SecuredKafka(KafkaServer):
    """A broker with TLS, users and an authorizer; ``options`` are those of its administrator.

    Parameters
    ----------
    folder
        For its settings, data and log.
    authority
        Signs its certificates.
    users
        Names of SCRAM users; the administrator is added. All have one password.
    """

    def __init__(self, folder: Path, authority: Authority, users: Sequence[str]) -> None:
        super().__init__(folder)
        self.password = secrets.token_urlsafe(16)
        port, misnamed, mutual, controller = free_ports(4)
        self.bootstrap, self.misnamed, self.mutual = (f"{HOME}:{one}" for one in (port, misnamed, mutual))
        jaas = "org.apache.kafka.common.security"
        own = secrets.token_urlsafe(16)
        kept = [line for line in self.settings.splitlines() if not line.startswith(("listeners=", "controller.quorum"))]
        self.settings = "\n".join([*kept, f"controller.quorum.voters=1@{HOME}:{controller}", ""]) + _BROKER.format(
            port=port,
            misnamed=misnamed,
            mutual=mutual,
            controller=controller,
            plain=f'{jaas}.plain.PlainLoginModule required username="broker" password="{own}" '
            f'user_broker="{own}" user_{ADMIN}="{self.password}";',
            scram=f"{jaas}.scram.ScramLoginModule required;",
            certificate=authority.issue("broker", HOME),
            misnamed_certificate=authority.issue("misnamed", "elsewhere.example"),
            ca=authority.ca,
        )
        for user in (ADMIN, *users):
            self.format_options += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={self.password}]"]
        self.options = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": ADMIN,
            "sasl_plain_password": self.password,
            "ssl_context": ssl.create_default_context(cafile=authority.ca),
        }

    def environment(self, authority: Authority, user: str) -> dict[str, str]:
        """Return the settings of a process of this user."""
        return {
            "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "GUIDEWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "GUIDEWATCH_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "GUIDEWATCH_KAFKA_SASL_USERNAME": user,
            "GUIDEWATCH_KAFKA_SASL_PASSWORD": self.password,
            "GUIDEWATCH_KAFKA_SSL_CAFILE": str(authority.ca),
        }


@contextmanager
def secured_kafka(authority: Authority, users: Sequence[str]) -> Iterator[SecuredKafka]:
    """Start a broker with TLS, users and an authorizer, and end it.

    Raises
    ------
    MissingServerError
        See `tests.servers.kafka.running_kafka`.
    """
    folder = Path(tempfile.mkdtemp(prefix="guidewatch-kafka-"))
    server = SecuredKafka(folder, authority, users)
    try:
        server.start()
        yield server
    finally:
        server.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


def access_rules(text: str) -> list[dict[str, Any]]:
    """Return what lines of arguments of kafka-acls.sh allow: principal, operations, resources and pattern type."""
    rules = []
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        rule: dict[str, Any] = {"pattern": "literal", "operations": [], "resources": []}
        for option, value in zip(words[::2], words[1::2], strict=True):
            if option == "--allow-principal":
                rule["principal"] = value
            elif option == "--operation":
                rule["operations"].append(value)
            elif option == "--resource-pattern-type":
                rule["pattern"] = value
            else:
                rule["resources"].append((option.removeprefix("--"), value))
        rules.append(rule)
    return rules


class SecuredElasticsearch:
    """A node with TLS and users of its own, each with the roles that are given; all have one password.

    Parameters
    ----------
    node
        Not started.
    folder
        Of its settings.
    """

    def __init__(self, node: ElasticsearchNode, folder: Path, password: str) -> None:
        self._node = node
        self._folder = folder
        self.password = password
        self.server = node.server

    def as_user(self, user: str) -> dict[str, Any]:
        """Return the client options of a user."""
        server = dataclasses.replace(self.server, user=user, password=self.password)
        return server.client_options()

    def set_password(self, user: str, password: str) -> None:
        """Change the password of one user, as an administrator does; it holds within a second."""
        path = self._folder / "users"
        lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{user}:")]
        path.write_text("\n".join([*lines, f"{user}:{password_hash(password)}", ""]))

    def environment(self, user: str) -> dict[str, str]:
        """Return the settings of a process of this user."""
        return {
            "GUIDEWATCH_ELASTICSEARCH_HOSTS": self.server.url,
            "GUIDEWATCH_ELASTICSEARCH_USERNAME": user,
            "GUIDEWATCH_ELASTICSEARCH_PASSWORD": self.password,
            "GUIDEWATCH_ELASTICSEARCH_CA_CERTS": str(self.server.ca_certs),
        }


@contextmanager
def secured_elasticsearch(
    authority: Authority, roles: Mapping[str, Any], *, licence: str = "trial"
) -> Iterator[SecuredElasticsearch]:
    """Start a node with these roles and, for each, a user of the same name; end it.

    Raises
    ------
    MissingServerError
        See `tests.servers.elasticsearch.running_elasticsearch`.
    """
    password = secrets.token_urlsafe(16)
    hashed = password_hash(password)
    settings: list[Path] = []

    def configure(server: ElasticsearchServer, folder: Path) -> ElasticsearchServer:
        settings.append(folder)
        key, begin, certificate = authority.issue("elasticsearch", HOME).read_text().partition("-----BEGIN CERTIFICATE")
        (folder / "key.pem").write_text(key)
        (folder / "certificate.pem").write_text(begin + certificate)
        with (folder / "elasticsearch.yml").open("r+") as file:
            kept = [line for line in file if "http.ssl.enabled" not in line]
            file.seek(0)
            file.truncate()
            file.writelines([*kept, _TLS_FOR_ELASTICSEARCH.format(licence=licence)])
        (folder / "roles.yml").write_text(yaml.safe_dump(dict(roles)))
        with (folder / "users").open("a") as users, (folder / "users_roles").open("a") as given:
            for role in roles:
                users.write(f"{role}:{hashed}\n")
                given.write(f"{role}:{role}\n")
        return dataclasses.replace(server, url=server.url.replace("http:", "https:"), ca_certs=str(authority.ca))

    with elasticsearch_node(security=True, heap="512m", configure=configure) as node:
        node.start()
        yield SecuredElasticsearch(node, settings[0], password)
