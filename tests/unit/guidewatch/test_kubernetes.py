"""The Kubernetes manifests are valid, and say what the program, the roles and the network rules of this project say."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import click
import kubernetes_validate
import pytest
import typer
import yaml

from guidewatch import settings
from guidewatch.cli import app

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "kubernetes"
OBJECTS = [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text("utf-8")) if one]
STAGES = {"spider", "classify", "index", "label", "evidence"}
METADATA = [ip_address("169.254.169.254"), ip_address("fd00:ec2::254"), ip_address("100.100.100.200")]
INSIDE = [
    ip_address(one) for one in ("10.1.2.3", "172.20.0.1", "192.168.1.1", "127.0.0.1", "::1", "fe80::1", "fc00::1")
]


def of_kind(*kinds):
    return {one["metadata"]["name"]: one for one in OBJECTS if one["kind"] in kinds}


WORKLOADS = of_kind("StatefulSet", "Deployment", "Job", "CronJob")


def pod(workload):
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]


def container(workload):
    (one,) = pod(workload)["spec"]["containers"]
    return one


def selected(selector, labels):
    """Whether a label selector takes pods with these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(
        one["operator"] == "In" and labels.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", [])
    )


def reaches(block, address):
    if address.version != ip_network(block["cidr"]).version or address not in ip_network(block["cidr"]):
        return False
    return not any(address in ip_network(one) for one in block.get("except", []))


def blocks(policy):
    return [to["ipBlock"] for rule in policy["spec"].get("egress", []) for to in rule["to"] if "ipBlock" in to]


def policies_of(name):
    labels = pod(WORKLOADS[name])["metadata"]["labels"]
    return [one for one in of_kind("NetworkPolicy").values() if selected(one["spec"]["podSelector"], labels)]


@pytest.mark.parametrize("made", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_object_is_one_that_kubernetes_takes(made):
    kubernetes_validate.validate(made, "1.37", strict=True)
    assert made["kind"] == "Namespace" or made["metadata"]["namespace"] == "guidewatch"


def test_every_stage_is_a_stateful_set_whose_instance_is_the_pod():
    assert of_kind("StatefulSet").keys() == STAGES
    for name, made in of_kind("StatefulSet").items():
        assert container(made)["args"][:4] == ["work", name, "--instance", "$(POD_NAME)"]
        (named,) = [one for one in container(made)["env"] if one["name"] == "POD_NAME"]
        assert named["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
        assert made["spec"]["serviceName"] in of_kind("Service")


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_command_is_one_of_the_command_line(name):
    command = typer.main.get_command(app)
    words = [str(word) for word in container(WORKLOADS[name])["args"]]
    with click.Context(command) as context:
        while hasattr(command, "commands"):
            command = command.get_command(context, words.pop(0))
            assert command is not None
    assert command.make_context(name, words).params


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_variable_is_a_setting_and_secrets_come_from_secrets(name):
    made = container(WORKLOADS[name])
    known = settings.names()
    plain = {one["name"] for one in made.get("env", [])} - {"POD_NAME"}
    secret: set[str] = set()
    for source in made["envFrom"]:
        if "secretRef" in source:
            secret |= of_kind("Secret")[source["secretRef"]["name"]]["stringData"].keys()
        else:
            plain |= of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"].keys()
    assert plain | secret <= known.keys()
    assert not plain & secret
    assert not [one for one in plain if one.endswith(("PASSWORD", "TOKENS", "SECRET", "KEY", "USERNAME"))]


def test_no_secret_has_a_value_that_somebody_might_keep():
    for made in of_kind("Secret").values():
        for name, value in made["stringData"].items():
            assert value == "" or name.endswith("USERNAME")


def test_users_are_those_of_the_rules_for_kafka_and_of_the_roles_of_elasticsearch():
    rules = (ROOT / "consumers" / "security" / "kafka-acls.txt").read_text("utf-8")
    roles = yaml.safe_load((ROOT / "storage" / "elastic" / "security" / "roles.yml").read_text("utf-8"))
    for made in of_kind("Secret").values():
        given = made["stringData"]
        assert given.keys() & {"GUIDEWATCH_KAFKA_SASL_USERNAME", "GUIDEWATCH_ELASTICSEARCH_USERNAME"}
        if "GUIDEWATCH_KAFKA_SASL_USERNAME" in given:
            assert f"User:{given['GUIDEWATCH_KAFKA_SASL_USERNAME']} " in rules
        if "GUIDEWATCH_ELASTICSEARCH_USERNAME" in given:
            assert given["GUIDEWATCH_ELASTICSEARCH_USERNAME"].replace("-", "_") in roles


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_process_may_more_than_it_needs(name):
    template = pod(WORKLOADS[name])["spec"]
    assert template["automountServiceAccountToken"] is False
    assert template["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {template['securityContext']['runAsUser']} " in (ROOT / "Dockerfile").read_text("utf-8")
    assert template["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(WORKLOADS[name])["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    resources = container(WORKLOADS[name])["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"]["memory"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_what_is_mounted_is_there(name):
    template = pod(WORKLOADS[name])["spec"]
    volumes = {one["name"]: one for one in template["volumes"]}
    mounted = {one["name"]: one["mountPath"] for one in container(WORKLOADS[name])["volumeMounts"]}
    assert mounted.keys() == volumes.keys()
    assert mounted["tmp"] == "/tmp"
    assert volumes["authorities"]["configMap"]["name"] in of_kind("ConfigMap")
    if "evidence" in volumes:
        assert volumes["evidence"]["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")


def test_files_of_authorities_are_where_the_settings_say():
    files = {f"/etc/guidewatch/{name}" for name in of_kind("ConfigMap")["guidewatch-authorities"]["data"]}
    assert {value for value in of_kind("ConfigMap")["guidewatch"]["data"].values() if value.endswith(".pem")} == files


@pytest.mark.parametrize("name", of_kind("StatefulSet"))
def test_stages_are_asked_for_their_health_where_they_answer(name):
    made = container(WORKLOADS[name])
    (port,) = made["ports"]
    assert made["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert made["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}


@pytest.mark.parametrize("name", sorted(STAGES | {"review"}))
def test_metrics_are_where_the_settings_say(name):
    (port,) = [one for one in container(WORKLOADS[name])["ports"] if one["name"] == "metrics"]
    assert of_kind("ConfigMap")["guidewatch"]["data"]["GUIDEWATCH_METRICS_PORT"] == str(port["containerPort"])


@pytest.mark.parametrize("name", sorted(STAGES | {"review"}))
def test_an_upgrade_of_the_nodes_takes_one_process_of_a_kind_at_a_time(name):
    labels = pod(WORKLOADS[name])["metadata"]["labels"]
    (budget,) = [one for one in of_kind("PodDisruptionBudget").values() if selected(one["spec"]["selector"], labels)]
    assert budget["spec"]["maxUnavailable"] == 1


def test_whatever_is_not_allowed_is_forbidden():
    nothing = [one for one in of_kind("NetworkPolicy").values() if one["spec"]["podSelector"] == {}]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in [one["spec"] for one in nothing]


@pytest.mark.parametrize("name", WORKLOADS)
def test_only_spiders_reach_the_internet(name):
    public = [ip_address("93.184.216.34"), ip_address("2606:2800:220:1::1")]
    found = [block for policy in policies_of(name) for block in blocks(policy)]
    for address in public:
        assert any(reaches(block, address) for block in found) is (name == "spider")


@pytest.mark.parametrize("address", METADATA + INSIDE, ids=str)
def test_nobody_reaches_the_metadata_address_or_the_network_inside_as_the_internet(address):
    assert not [
        block for policy in of_kind("NetworkPolicy").values() for block in blocks(policy) if reaches(block, address)
    ]


def test_spiders_reach_the_ports_that_the_crawler_may_ask():
    (policy,) = [one for one in of_kind("NetworkPolicy").values() if blocks(one)]
    (rule,) = policy["spec"]["egress"]
    default = settings.CrawlSettings.model_fields["ports"].default
    assert {str(one["port"]) for one in rule["ports"]} == {one.strip() for one in default.split(",")}


@pytest.mark.parametrize("name", WORKLOADS)
def test_elasticsearch_is_reached_by_those_who_have_a_user_there(name):
    given = of_kind("Secret")[f"guidewatch-{name}"]["stringData"]
    reached = any(
        to.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name") == "elastic"
        for policy in policies_of(name)
        for rule in policy["spec"].get("egress", [])
        for to in rule["to"]
    )
    assert reached is ("GUIDEWATCH_ELASTICSEARCH_USERNAME" in given)
