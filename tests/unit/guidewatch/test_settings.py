import inspect
import re
from pathlib import Path

import pytest

from dashboards.kibana.objects import REVIEW_URL
from dashboards.review import serve
from guidewatch import settings

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", settings.names())
def test_every_setting_is_in_the_readme_with_its_description(name):
    assert re.search(rf"^\| `{name}` \|.*{re.escape(settings.names()[name])}", README, re.MULTILINE)


def test_the_readme_has_no_setting_that_is_not_there():
    assert set(re.findall(r"^\| `(GUIDEWATCH_\w+)`", README, re.MULTILINE)) == set(settings.names())


def test_a_wrong_value_is_named_in_one_line_without_the_value(monkeypatch):
    monkeypatch.setenv("GUIDEWATCH_CRAWL_DELAY_S", "soon-and-secret")
    with pytest.raises(settings.SettingsError, match=r"^GUIDEWATCH_CRAWL_DELAY_S: ") as caught:
        settings.load(settings.CrawlSettings)
    assert "secret" not in str(caught.value)


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("GUIDEWATCH_ELASTICSEARCH_PASSWORD", "hunter22")
    assert "hunter22" not in repr(settings.load(settings.ElasticsearchSettings))


def test_the_review_app_has_one_port_in_settings_server_kibana_and_compose():
    port = settings.load(settings.ReviewSettings).port
    assert inspect.signature(serve).parameters["port"].default == port
    assert f"http://127.0.0.1:{port}" == REVIEW_URL
    compose = (Path(__file__).parents[3] / "docker-compose.yml").read_text("utf-8")
    assert f"127.0.0.1:{port}:{port}" in compose


@pytest.mark.parametrize("value", ["", "80,", "http", "0", "65536", "80;443", "-1"])
def test_ports_that_are_none_are_refused_in_one_line(monkeypatch, value):
    monkeypatch.setenv("GUIDEWATCH_CRAWL_PORTS", value)
    with pytest.raises(settings.SettingsError, match=r"GUIDEWATCH_CRAWL_PORTS: .*from 1 to 65535") as caught:
        settings.load(settings.CrawlSettings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("value", "port"), [("", None), ("0", 0), ("9464", 9464)])
def test_metrics_have_a_port_or_none(monkeypatch, value, port):
    assert settings.load(settings.MetricsSettings).port is None
    monkeypatch.setenv("GUIDEWATCH_METRICS_PORT", value)
    assert settings.load(settings.MetricsSettings).port == port
