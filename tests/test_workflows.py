"""The workflows: valid, safe by the rules of a linter, and made of the same commands that everyone uses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name(name), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def steps(path: Path) -> list[dict]:
    return [step for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values() for step in job["steps"]]


def test_workflows_follow_their_schema():
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_linter_finds_nothing():
    checked = tool("zizmor", "--offline", "--pedantic", ".github/workflows")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_rights_are_given_to_jobs_alone(path: Path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert all("permissions" in job or job.get("needs") for job in workflow["jobs"].values())
    for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_workflows_call_targets_that_there_are():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {
        target
        for path in WORKFLOWS
        for step in steps(path)
        for target in re.findall(r"\bmake(?: --silent)? ([a-z-]+)", step.get("run", ""))
    }
    assert {"test", "edition", "site", "compare"} <= called <= targets
