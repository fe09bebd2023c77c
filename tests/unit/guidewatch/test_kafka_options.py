import ssl

import pytest

from guidewatch import composition, settings
from guidewatch.errors import UserMistakeError
from guidewatch.kafka_options import kafka_options
from tests.servers.certificates import Authority


def options(**given):
    return kafka_options(settings.KafkaSettings(_env_file=None, **given))


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_without_security_there_is_nothing_but_the_brokers():
    assert options(bootstrap_servers="a:1, b:2,") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    }


def test_the_composition_reads_the_environment(monkeypatch):
    monkeypatch.setenv("GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS", "here:9")
    assert composition.kafka_options()["bootstrap_servers"] == ["here:9"]


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_certificates_and_their_names_are_always_checked(authority, protocol):
    given = {"sasl_mechanism": "PLAIN", "sasl_username": "ana", "sasl_password": "secret"}
    context = options(security_protocol=protocol, ssl_cafile=authority.ca, **given)["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def test_a_certificate_of_ours_is_loaded_with_its_key(authority):
    assert options(security_protocol="SSL", ssl_cafile=authority.ca, ssl_certfile=authority.issue("we"))["ssl_context"]


@pytest.mark.parametrize("missing", ["sasl_mechanism", "sasl_username", "sasl_password"])
def test_half_of_the_credentials_is_a_mistake_that_names_the_settings(missing):
    given = {"sasl_mechanism": "PLAIN", "sasl_username": "ana", "sasl_password": "secret", missing: ""}
    with pytest.raises(UserMistakeError, match="GUIDEWATCH_KAFKA_SASL_PASSWORD") as caught:
        options(security_protocol="SASL_PLAINTEXT", **given)
    assert "secret" not in str(caught.value)


def test_an_authority_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserMistakeError, match=r"SSL_CAFILE: .*none\.pem cannot be used: No such file"):
        options(security_protocol="SSL", ssl_cafile=tmp_path / "none.pem")


@pytest.mark.parametrize("text", ["", "not a certificate"])
def test_a_file_without_a_certificate_is_named(tmp_path, text):
    (tmp_path / "odd.pem").write_text(text)
    with pytest.raises(UserMistakeError, match=r"SSL_CAFILE: .*odd\.pem cannot be used: \w+"):
        options(security_protocol="SSL", ssl_cafile=tmp_path / "odd.pem")


def test_a_certificate_without_its_key_is_named(authority):
    with pytest.raises(UserMistakeError, match=r"SSL_CERTFILE: .*authority\.pem cannot be used: \w+"):
        options(security_protocol="SSL", ssl_cafile=authority.ca, ssl_certfile=authority.ca)
