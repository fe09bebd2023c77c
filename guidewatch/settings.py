"""Every setting, one model per concern, read once at the entry point (`load`); nothing else reads the environment.

A setting is an environment variable, or a line in a file ``.env`` in the working directory. README.md lists them
all, and a test fails where one is missing there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dashboards import REVIEW_PORT

Model = TypeVar("Model", bound=BaseSettings)


class SettingsError(ValueError):
    """A setting is wrong; the message is one line and names the variable."""


def _config(prefix: str) -> SettingsConfigDict:
    return SettingsConfigDict(env_prefix=prefix, env_file=".env", env_file_encoding="utf-8", extra="ignore")


class CrawlSettings(BaseSettings):
    """How crawls behave; the command line overrides each."""

    model_config = _config("GUIDEWATCH_CRAWL_")

    contact: str = Field(
        "", description="e-mail address or URL of a person, part of the User-Agent; public crawls need it"
    )
    user_agent: str = Field("guidewatch/0.1", description="product token of the User-Agent")
    max_pages: int = Field(1_000, ge=1, description="URLs fetched by one crawl")
    max_pages_per_host: int = Field(500, ge=1, description="URLs fetched of one host")
    max_depth: int = Field(5, ge=0, description="links away from a seed")
    delay_s: float = Field(1.0, ge=0, description="least seconds between two requests to a host")
    concurrency: int = Field(16, ge=1, description="requests under way at once")
    timeout_s: float = Field(30.0, gt=0, description="most seconds for one response in all")
    max_bytes: int = Field(8_000_000, ge=1, description="most bytes of one body")
    ports: str = Field("80, 443, 8080, 8443", description="ports of public hosts that may be connected to")
    off_limits: Path | None = Field(
        None, description="file of hosts and URL patterns that are never asked, one a line; empty: none"
    )
    focus: Literal["off", "soft", "hard"] = Field(
        "soft", description="`off`: breadth first; `soft`: links that promise most first; `hard`: give poor links up"
    )
    browser: str = Field(
        "", description="path of Chromium, for pages that are empty without their scripts; empty: they stay so"
    )
    revisit_min_s: float = Field(21_600.0, gt=0, description="seconds until a page that changes is due again")
    revisit_max_s: float = Field(2_592_000.0, gt=0, description="seconds until a page that never changes is due again")

    @field_validator("ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        if not all(port.strip().isdecimal() and 0 < int(port) < 65_536 for port in value.split(",")):
            raise ValueError("ports are numbers from 1 to 65535, separated by commas")
        return value


class ClassifierSettings(BaseSettings):
    """Which model judges."""

    model_config = _config("GUIDEWATCH_CLASSIFIER_")

    model: Path | None = Field(None, description="model folder; empty for the shipped model")
    batch_pages: int = Field(64, ge=1, description="most pages judged in one batch")


class KafkaSettings(BaseSettings):
    """The broker of a distributed installation."""

    model_config = _config("GUIDEWATCH_KAFKA_")

    bootstrap_servers: str = Field("127.0.0.1:9092", description="host:port of brokers, separated by commas")
    topic_prefix: str = Field("", description="put in front of every topic, for several installations on one broker")
    partitions: int = Field(6, ge=1, description="partitions of each topic that `setup` makes")
    replication: int = Field(1, ge=1, description="replicas of each topic that `setup` makes")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how to talk to the broker"
    )
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field("", description="SASL mechanism")
    sasl_username: str = Field("", description="SASL user")
    sasl_password: SecretStr = Field(SecretStr(""), description="SASL password")
    ssl_cafile: Path | None = Field(None, description="certificate authority that signed the brokers' certificates")
    ssl_certfile: Path | None = Field(None, description="our certificate, where the brokers ask for one")
    ssl_keyfile: Path | None = Field(None, description="its key; empty where that is in the same file")
    ssl_password: SecretStr = Field(SecretStr(""), description="password of that key; empty: it has none")


class ElasticsearchSettings(BaseSettings):
    """The index of a distributed installation."""

    model_config = _config("GUIDEWATCH_ELASTICSEARCH_")

    hosts: str = Field("", description="URLs, separated by commas; where set, it is the store unless --data is given")
    username: str = Field("", description="user")
    password: SecretStr = Field(SecretStr(""), description="password")
    ca_certs: Path | None = Field(None, description="certificate authority that signed the server's certificate")
    prefix: str = Field("guidewatch", description="first part of every index name")


class EvidenceSettings(BaseSettings):
    """Where raw responses are kept."""

    model_config = _config("GUIDEWATCH_EVIDENCE_")

    warc_dir: Path = Field(Path("data/warc"), description="folder of the crawlers' WARC files, for `work evidence`")
    vault_dir: Path = Field(Path("data/vault"), description="folder for the records of flagged pages")
    vault_key: SecretStr = Field(
        SecretStr(""),
        description="encrypts the vault, signs its log: 32 bytes in base64 or hexadecimal; former keys after commas",
    )


class RetentionSettings(BaseSettings):
    """How long `guidewatch retention` keeps what."""

    model_config = _config("GUIDEWATCH_RETENTION_")

    text_days: int = Field(0, ge=0, le=36_500, description="days after which texts and evidence go; 0: never")
    ledger_days: int = Field(0, ge=0, le=36_500, description="days after which rows of the ledger go; 0: never")


class ReviewSettings(BaseSettings):
    """The review app."""

    model_config = _config("GUIDEWATCH_REVIEW_")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(REVIEW_PORT, ge=0, le=65535, description="port to listen on; 0 for a free one")
    tokens: SecretStr = Field(
        SecretStr(""),
        description="analyst=token pairs, separated by commas; empty: one token is made and kept in the data folder",
    )
    secret: SecretStr = Field(
        SecretStr(""), description="signs sessions; empty: one is made and kept in the data folder"
    )
    allowed_hosts: str = Field("", description="further names the app may be called by, separated by commas")


class LogSettings(BaseSettings):
    """What is logged, to standard error."""

    model_config = _config("GUIDEWATCH_LOG_")

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("WARNING", description="least severe level")
    format: Literal["text", "json"] = Field("text", description="one line of text, or one JSON object a line")


class MetricsSettings(BaseSettings):
    """Where a process shows its metrics and answers health checks."""

    model_config = _config("GUIDEWATCH_METRICS_")

    host: str = Field("127.0.0.1", description="address that answers `/metrics`, `/healthz` and `/readyz`")
    port: int | None = Field(
        None, ge=0, le=65535, description="its port, of each process its own; 0 for a free one; empty: none"
    )

    @field_validator("port", mode="before")
    @classmethod
    def _may_be_empty(cls, value: object) -> object:
        return None if value == "" else value


MODELS: tuple[type[BaseSettings], ...] = (
    CrawlSettings,
    ClassifierSettings,
    KafkaSettings,
    ElasticsearchSettings,
    EvidenceSettings,
    RetentionSettings,
    ReviewSettings,
    MetricsSettings,
    LogSettings,
)


def load(model: type[Model]) -> Model:
    """Return the settings of one concern."""
    try:
        return model()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(model.model_config.get("env_prefix", "")) + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from error


def names() -> dict[str, str]:
    """Return every environment variable with its description."""
    return {
        f"{model.model_config.get('env_prefix', '')}{field.upper()}": info.description or ""
        for model in MODELS
        for field, info in model.model_fields.items()
    }
