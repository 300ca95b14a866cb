"""In generated homes dynarc and botocore make the same of config files and environment: the same access
key, region and endpoint, or both of them nothing.

Where they are known to differ, by intent, botocore is helped (see `as_botocore_reads`) or the case is not
generated: comments behind values, sections that occur twice and `name: value`, which the AWS SDKs' own
description of the format settles otherwise than Python's configparser; plain http to other machines, which
dynarc refuses; and a local endpoint without a region, with which dynarc does.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from issuer import Issuer, stamp
from program import run_dynarc

HOMES = 150
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "aws-global", "local", "bad_region", "12"]
ACCOUNT = "arn:aws:iam::210987654321:role/"


@dataclass
class Home:
    """What a user has: files by name, variables, and `--profile`."""

    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    profile: str | None = None
    # What the generator has put in, to see that all of it occurs.
    traits: set[str] = field(default_factory=set)


class Generator:
    def __init__(self, seed: int, issuer: str):
        self.chance = random.Random(seed)
        self.issuer = issuer
        self.home = Home()

    def some(self, share: float, trait: str) -> bool:
        happens = self.chance.random() < share
        if happens:
            self.home.traits.add(trait)
        return happens

    def pick(self, *choices: str) -> str:
        choice = self.chance.choice(choices)
        self.home.traits.add(choice)
        return choice

    def key(self) -> str:
        return "AKIA" + "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))

    def keys(self) -> list[str]:
        lines = [f"aws_access_key_id = {self.key()}", "aws_secret_access_key = not-a-secret"]
        if self.some(0.05, "half keys"):
            del lines[1]
        if self.some(0.3, "session token"):
            lines.append("aws_session_token=tok=en")
        if self.some(0.2, "account"):
            lines.append("aws_account_id = 210987654321")
        return lines

    def source(self, name: str, others: list[str]) -> list[str]:
        """The settings by which a profile comes to credentials."""
        kind = self.pick(
            *["keys"] * 6, "role", "role", "web", "process", "process", "sso", "sso", "login", "credential_source", "nothing"
        )
        match kind:
            case "keys":
                return self.keys()
            case "role":
                lines = [f"role_arn = {ACCOUNT}{name}", f"source_profile = {self.chance.choice(others)}"]
                if self.some(0.3, "external id"):
                    lines.append("external_id = x/y")
                return lines + (self.keys() if self.some(0.3, "keys beside a role") else [])
            case "credential_source":
                source = self.pick("Environment", "EcsContainer", "Nowhere")
                return [f"role_arn = {ACCOUNT}{name}", f"credential_source = {source}"]
            case "web":
                self.home.files["token"] = "a.web.token"
                lines = ["web_identity_token_file = HOME/token"]
                return lines + ([f"role_arn = {ACCOUNT}{name}"] if self.some(0.8, "web role") else [])
            case "process":
                answer = {"Version": 1, "AccessKeyId": self.key(), "SecretAccessKey": "s", "SessionToken": "t"}
                self.home.files[f"process-{name}"] = json.dumps(answer) if self.some(0.8, "good process") else "{"
                return [f"credential_process = cat 'HOME/process-{name}'"]
            case "sso":
                lines = ["sso_account_id = 210987654321", "sso_role_name = Reader"]
                cached = {"accessToken": "t", "expiresAt": stamp(7200 if self.some(0.8, "living token") else -60)}
                key = "https://old.example"
                if self.some(0.6, "sso session"):
                    key = "corp"
                    lines.append("sso_session = corp")
                else:
                    lines += ["sso_start_url = https://old.example", "sso_region = eu-west-1"]
                self.home.files[f".aws/sso/cache/{hashlib.sha1(key.encode()).hexdigest()}.json"] = json.dumps(cached)
                return lines
            case "login":
                # Renewed by botocore with an extra package only: nobody has logged in.
                return ["login_session = nobody"]
        return []

    def profile_lines(self, name: str, others: list[str]) -> list[str]:
        lines = self.source(name, others)
        if self.some(0.9, "profile region"):
            lines.append(f"region = {self.pick(*REGIONS)}")
        for setting in ("use_fips_endpoint", "use_dualstack_endpoint", "ignore_configured_endpoint_urls"):
            if self.some(0.12, setting):
                lines.append(f"{setting} = {self.pick('true', 'false', 'True')}")
        if self.some(0.1, "mode"):
            lines.append(f"account_id_endpoint_mode = {self.pick('preferred', 'disabled', 'required')}")
        if self.some(0.15, "profile endpoint"):
            lines.append("endpoint_url = https://profile.example")
        if self.some(0.2, "services"):
            lines.append("services = mine")
        self.chance.shuffle(lines)
        return lines

    def section(self, header: str, lines: list[str]) -> str:
        """Written in one of the ways people write it."""
        end = "\r\n" if self.some(0.1, "CRLF") else "\n"
        text = [f"[{header}]"] + [line.replace(" = ", self.chance.choice([" = ", "=", " =\t"])) for line in lines]
        if self.some(0.2, "capitals"):
            text = [line.replace("region", "Region").replace("aws_access", "AWS_Access") for line in text]
        if self.some(0.2, "comments"):
            text.insert(1, "# a comment = nothing")
            text.append("; another")
        return end.join(text) + end

    def make(self) -> Home:
        names = ["default", "one", "two", "a-b"]
        for name in names:
            if not self.some(0.95, "present"):
                continue
            lines = self.profile_lines(name, names)
            if all("=" in line and line.startswith("aws_") for line in lines) and self.some(0.6, "credentials file"):
                self.put("credentials", self.section(name, lines))
                continue
            plain = name == "default" or self.some(0.08, "wrong form")
            header = name if plain else self.chance.choice([f"profile {name}", f'profile "{name}"'])
            self.put("config", self.section(header, lines))
        if self.some(0.15, "keys in both files"):
            self.put("config", self.section("profile both", self.keys()))
            self.put("credentials", self.section("both", self.keys()))
        self.put("config", "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n")
        self.put("config", "[services mine]\ns3 =\n  endpoint_url = https://s3.example\ndynamodb =\n  endpoint_url = https://services.example\n")
        self.environment(names)
        return self.home

    def put(self, name: str, text: str) -> None:
        name = f".aws/{name}"
        # botocore's parser refuses a section that occurs twice.
        if text.partition("\n")[0].strip() not in self.home.files.get(name, ""):
            self.home.files[name] = self.home.files.get(name, "") + text + "\n"

    def environment(self, names: list[str]) -> None:
        variables = self.home.variables
        if self.some(0.25, "environment keys"):
            variables |= {"AWS_ACCESS_KEY_ID": self.key(), "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
            if self.some(0.15, "no secret"):
                del variables["AWS_SECRET_ACCESS_KEY"]
            if self.some(0.4, "variable account"):
                variables["AWS_ACCOUNT_ID"] = "109876543210"
        if self.some(0.4, "AWS_PROFILE"):
            variables["AWS_PROFILE"] = self.chance.choice(names * 2 + ["both", "missing"])
        if self.some(0.35, "--profile"):
            self.home.profile = self.chance.choice(names + ["both"])
        for name, share in (("AWS_REGION", 0.3), ("AWS_DEFAULT_REGION", 0.3)):
            if self.some(share, name):
                variables[name] = self.pick(*REGIONS)
        for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
            if self.some(0.06, name):
                variables[name] = self.pick("true", "false")
        if self.some(0.1, "AWS_ENDPOINT_URL"):
            variables["AWS_ENDPOINT_URL"] = "https://everywhere.example"
        if self.some(0.1, "AWS_ENDPOINT_URL_DYNAMODB"):
            variables["AWS_ENDPOINT_URL_DYNAMODB"] = "https://variable.example"
        if self.some(0.1, "AWS_ACCOUNT_ID_ENDPOINT_MODE"):
            variables["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = self.pick("preferred", "disabled", "required")
        if self.some(0.1, "variable web identity"):
            self.home.files["token"] = "a.web.token"
            variables |= {"AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": f"{ACCOUNT}variable"}
        if self.some(0.3, "container"):
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{self.issuer}/container"


def as_botocore_reads(home: Home) -> dict[str, str]:
    """botocore alone knows no AWS_REGION (the CLI and the other SDKs do)."""
    variables = dict(home.variables)
    if region := variables.pop("AWS_REGION", None):
        variables["AWS_DEFAULT_REGION"] = region
    return variables


DRIVER = '''
import json, os, sys, unittest.mock
import botocore.session, botocore.awsrequest, botocore.credentials, botocore.tokens
for case in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(case["environment"])
    cache = os.path.join(case["environment"]["HOME"], ".aws", "sso", "cache")
    # Fixed when the module was imported, in another home.
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache
    found = {}
    def answer(request, **_):
        scope = request.headers["Authorization"].decode().partition("Credential=")[2].split(",")[0].split("/")
        found.update(key=scope[0], region=scope[2], endpoint=request.url)
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, unittest.mock.Mock(stream=lambda: [b"{}"]))
    try:
        session = botocore.session.Session(profile=case["profile"])
        client = session.create_client("dynamodb")
        client.meta.events.register("before-send.dynamodb", answer)
        client.list_tables()
    except Exception as error:
        if not found:
            found = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), flush=True)
'''


def masked(key: str) -> str:
    return f"…{key[-4:]}" if len(key) < 16 else f"{key[:4]}…{key[-4:]}"


def build(home: Home, directory: Path) -> None:
    for name, text in home.files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("HOME", str(directory)).encode())
    home.variables = {name: value.replace("HOME", str(directory)) for name, value in home.variables.items()}


def test_dynarc_and_botocore_agree(binary, tmp_path):
    with Issuer() as issuer:
        common = {
            "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin:/bin", "AWS_MAX_ATTEMPTS": "1",
            # Nothing leaves the machine, whatever a home asks for.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "AWS_ENDPOINT_URL_STS": issuer.endpoint, "AWS_ENDPOINT_URL_SSO": issuer.endpoint,
        }  # fmt: skip
        homes = [Generator(seed, issuer.endpoint).make() for seed in range(HOMES)]
        directories = [tmp_path / f"home-{number}" for number in range(HOMES)]
        for home, directory in zip(homes, directories):
            build(home, directory)

        def theirs() -> list[dict]:
            cases = [
                {"profile": home.profile, "environment": common | as_botocore_reads(home) | {"HOME": str(directory)}}
                for home, directory in zip(homes, directories)
            ]
            done = subprocess.run([sys.executable, "-c", DRIVER], input=json.dumps(cases).encode(), capture_output=True, timeout=300)
            assert done.returncode == 0, done.stderr.decode()
            return [json.loads(line) for line in done.stdout.splitlines()]

        def ours(number: int) -> dict:
            options = ["--profile", homes[number].profile] if homes[number].profile else []
            env = common | homes[number].variables
            result = run_dynarc(binary, directories[number], directories[number], "whoami", "--json", *options, env=env, exit=None)
            if not result.stdout:
                return {"error": result.stderr}
            report = result.json
            errors = [error for error in report["errors"] if error["about"] != "identity"]
            if errors:
                return {"error": errors[0]["message"]}
            return {"key": report["accessKeyId"], "region": report["region"]["value"], "endpoint": report["endpoint"]["value"]}

        with ThreadPoolExecutor(2) as pool:
            botocores = pool.submit(theirs)
            dynarcs = list(pool.map(ours, range(HOMES)))
        expected = [found if "error" in found else found | {"key": masked(found["key"])} for found in botocores.result()]

    different = []
    for number, (one, other) in enumerate(zip(dynarcs, expected)):
        if ("error" in one) != ("error" in other) or "error" not in one and one != other:
            different.append(f"home {number}: dynarc {one}, botocore {other}\n{homes[number]}")
    both = sum("error" not in one for one in dynarcs)
    print(f"{HOMES} homes: the same key, region and endpoint in {both}, an error of both in {HOMES - both}")
    assert different == [], f"{len(different)} differ\n" + "\n\n".join(different[:4])
    assert both >= 60
    occurring = Counter(trait for home in homes for trait in home.traits)
    assert min(occurring.values()) >= 2, occurring
