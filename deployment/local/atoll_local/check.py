"""Is the stack really working? Asks from outside, then puts a real question to a real model."""

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from atoll_local.environment import Environment
from atoll_local.render import script

# What must answer 200 through the gateway before the question is asked, in this order.
PROBES = (
    ("gateway and front end", "/"),
    ("chat backend", "/api/health"),
    ("inference", "/v2/health/ready"),
)
# These pass by themselves; every other answer needs a person (a checkpoint is missing or broken).
PASSING = frozenset({"upstream_unavailable", "model_loading", "unavailable", "starting"})
SELFTEST_SECONDS = 180
REPORT_EVERY = 5.0
SETTLE_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trouble:
    """Why a route does not answer 200, for programs (`code`) and for people."""

    code: str
    message: str


def wait_for_health(
    environment: Environment,
    say: Say,
    *,
    seconds: float,
    give_up: Callable[[], bool] = lambda: False,
) -> str | None:
    """Wait until every probe answers, saying every few seconds what is waited for.

    Args:
        seconds: longest time to wait for all of them.
        give_up: asked while waiting; true ends it.

    Returns:
        None when all are well, else what is not, in words.
    """
    started = reported = time.monotonic()
    with httpx.Client(base_url=environment.local_url, timeout=5, trust_env=False) as client:
        for name, path in PROBES:
            while True:
                trouble = probe(client, path)
                if trouble is None:
                    break
                now = time.monotonic()
                waited = now - started
                needs_a_person = trouble.code not in PASSING and waited > SETTLE_SECONDS
                if waited > seconds or needs_a_person or give_up():
                    return f"{name} is not ready: {trouble.message}"
                if now - reported >= REPORT_EVERY:
                    reported = now
                    say(f"waiting for {name} ({waited:.0f} s): {trouble.message}")
                time.sleep(0.25)
    return None


def probe(client: httpx.Client, path: str) -> Trouble | None:
    """What is wrong with a route; None when it answers 200."""
    try:
        response = client.get(path)
    except httpx.HTTPError as error:
        return Trouble("upstream_unavailable", str(error) or type(error).__name__)
    if response.status_code == httpx.codes.OK:
        return None
    try:
        refusal = response.json()["error"]
        code = str(refusal["code"])
        # What the gateway tells a user is of little use to whoever has just started the service.
        message = "it does not listen yet" if code == "upstream_unavailable" else refusal["message"]
        return Trouble(code, str(message))
    except (ValueError, LookupError, TypeError):
        return Trouble("unknown", f"{path} answers with status {response.status_code}")


def ask_a_question(environment: Environment, variables: Mapping[str, str]) -> tuple[bool, str]:
    """Run `atoll-chat selftest`: one real chat through the running services.

    Returns:
        Whether it was answered, and what the command printed.
    """
    command = [script("atoll-chat"), "selftest"]
    try:
        done = subprocess.run(
            command,
            env=dict(variables),
            cwd=environment.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=SELFTEST_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {SELFTEST_SECONDS} s"
    return done.returncode == 0, (done.stdout + done.stderr).strip()
