"""What an administrator does to install the app: import the update set, run the fix scripts, set properties."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from emulator.servicenow import Instance, InstanceError, Json

SCOPE = "x_claude_terminal"
USER_ROLE, ADMIN_ROLE = f"{SCOPE}.user", f"{SCOPE}.admin"
#: What a poller's account needs, and nothing else.
BRIDGE_ROLE = f"{SCOPE}.bridge"
MID_ROLE = "mid_server"
HEALTH_JOB = "claude-terminal-health"

_ROOT = Path(__file__).resolve().parents[1]
#: Without it an instance gives no tokens to clients that act for themselves.
_CLIENT_GRANT = "glide.oauth.inbound.client.credential.grant_type.enabled"
#: The numbers of the scripts that install; the others check or remove.
_INSTALLING = re.compile(r"(?!00_|99_)\d\d_\w+\.js")
_BUILD_S = 60


@dataclass(frozen=True)
class Installed:
    """What an installation did: the counts of the import, and what each fix script printed."""

    counts: Json
    printed: dict[str, list[str]]


def build(output: Path) -> Path:
    """Build the update set and the fix scripts into `output` and return it."""
    command = [sys.executable, "-m", "sidecar.cli", "app", "build", "--output", str(output)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_BUILD_S)
    if done.returncode:
        raise InstanceError(f"the app was not built: {done.stderr.strip()}")
    return output


def update_set(build_dir: Path) -> Path:
    """Return the one update set in a build."""
    found = sorted(build_dir.glob("*.xml"))
    if len(found) != 1:
        raise InstanceError(f"{build_dir} holds {len(found)} update sets instead of one")
    return found[0]


def fix_scripts(build_dir: Path) -> list[str]:
    """Return the names of the fix scripts that install, in their order."""
    files = sorted((build_dir / "fix-scripts").glob("*.js"))
    return [file.stem for file in files if _INSTALLING.fullmatch(file.name)]


def install(instance: Instance, build_dir: Path) -> Installed:
    """Import the update set, then run the fix scripts, as the installation guide says; may be repeated."""
    counts = instance.import_update_set(update_set(build_dir))
    return Installed(counts, {name: instance.fix(name) for name in fix_scripts(build_dir)})


def set_property(instance: Instance, name: str, value: str) -> None:
    """Set a system property that exists; raise `InstanceError` when it does not."""
    table = instance.table("sys_properties")
    rows = table.rows(f"name={name}")
    if len(rows) != 1:
        raise InstanceError(f"there are {len(rows)} properties {name}")
    table.update(rows[0]["sys_id"], value=value)


def use_mids(instance: Instance, *names: str) -> None:
    """Tell the app beside which MID Servers or pollers sidecars run."""
    set_property(instance, f"{SCOPE}.mids", ",".join(names))


def use_bridge(instance: Instance, bridge: str) -> None:
    """Tell the app which way new sessions take: `mid` or `poller`."""
    set_property(instance, f"{SCOPE}.bridge", bridge)


def register_client(instance: Instance, user_id: str, client_id: str, secret: str) -> None:
    """Register an OAuth client that acts as a user; allow the grant it needs."""
    properties = instance.table("sys_properties")
    if not properties.rows(f"name={_CLIENT_GRANT}", fields="sys_id"):
        properties.insert(name=_CLIENT_GRANT, value="true", type="boolean")
    instance.table("oauth_entity").insert(
        name=client_id,
        client_id=client_id,
        client_secret=secret,
        user=user_id,
        default_grant_type="client_credentials",
    )


def check_health(instance: Instance) -> None:
    """Run the job that asks the sidecars how they are, which otherwise does so each minute."""
    instance.run_job(HEALTH_JOB)
