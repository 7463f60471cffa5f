"""An engine of its own in a network namespace whose only way out is watched and leads nowhere."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .machine import run

INSIDE, OUTSIDE = "10.231.7.2", "10.231.7.1"
TAP = Path(__file__).parent / "wiretap.py"


class Namespace:
    """A network namespace; with a route, everything that leaves it is captured and dropped."""

    def __init__(self, folder: Path, *, route: bool) -> None:
        self.name = f"atoll-bundle-{os.getpid()}"
        self.hole = f"{self.name}-hole"
        self.resolver = folder / "resolv.conf"
        self.resolver.write_text(f"nameserver {OUTSIDE}\noptions timeout:2 attempts:1\n")
        self.route = route
        self._capture: subprocess.Popen[str] | None = None
        self._seen: list[dict[str, str]] = []

    def __enter__(self) -> "Namespace":
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self) -> None:
        self._ip("netns", "add", self.name)
        self._ip("-n", self.name, "link", "set", "lo", "up")
        if self.route:
            self._ip("netns", "add", self.hole)
            self._ip(
                *("link", "add", "uplink", "netns", self.name),
                *("type", "veth", "peer", "name", "hole", "netns", self.hole),
            )
            # Neighbour discovery of IPv6 would be the only noise.
            for name in (self.name, self.hole):
                run(
                    *("nsenter", f"--net=/run/netns/{name}"),
                    *("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"),
                    *("net.ipv6.conf.all.disable_ipv6=1",),
                )
            self._ip("-n", self.name, "addr", "add", f"{INSIDE}/24", "dev", "uplink")
            self._ip("-n", self.hole, "addr", "add", f"{OUTSIDE}/24", "dev", "hole")
            self._ip("-n", self.name, "link", "set", "uplink", "up")
            self._ip("-n", self.hole, "link", "set", "hole", "up")
            self._ip("-n", self.name, "route", "add", "default", "via", OUTSIDE)
            # It answers for its own address on the wire and to nothing else, so that whoever asks
            # waits until his own patience ends.
            hole = ("nsenter", f"--net=/run/netns/{self.hole}")
            run(*hole, "iptables", "-P", "INPUT", "DROP")
            run("ip", "-n", self.hole, "route", "add", "blackhole", "default")
            self._capture = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.hole}", sys.executable, str(TAP), "hole"],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._capture.stdout is not None
            assert self._capture.stdout.readline() == "capturing\n"
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def __exit__(self, *_: object) -> None:
        if self._capture is not None:
            self._capture.kill()
            self._capture.wait()
            self._reader.join()
            if self._capture.stdout is not None:
                self._capture.stdout.close()
        run("ip", "netns", "delete", self.name, check=False)
        run("ip", "netns", "delete", self.hole, check=False)

    def _ip(self, *arguments: str) -> None:
        run("ip", *arguments)

    def _read(self) -> None:
        assert self._capture is not None and self._capture.stdout is not None
        for line in self._capture.stdout:
            self._seen.append(json.loads(line))

    def command(self, *command: str | Path) -> tuple[str, ...]:
        """The command as it runs on this machine: its network, its resolver."""
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return (
            *("nsenter", f"--net=/run/netns/{self.name}", "unshare", "--mount"),
            *("bash", "-c", script, str(self.resolver), *(str(part) for part in command)),
        )

    def packets(self) -> list[dict[str, str]]:
        """What left since the start, when the wire has been quiet for a moment."""
        while True:
            seen = len(self._seen)
            time.sleep(1)
            if len(self._seen) == seen:
                return list(self._seen)


class Engine:
    """A second Docker engine, with nothing of the first one."""

    def __init__(
        self, folder: Path, namespace: Namespace, dockerd: str | Path = "dockerd", **settings: str
    ) -> None:
        self.folder = folder
        self.dockerd = dockerd
        self.settings = settings
        self.namespace = namespace
        # Paths of sockets have little room.
        self.sockets = Path(tempfile.mkdtemp(prefix="atoll-"))
        self.host = f"unix://{self.sockets}/docker.sock"
        self.environment = {"DOCKER_HOST": self.host}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Engine":
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "dockerd.log").open("wb") as log:
            self._process = subprocess.Popen(
                self.namespace.command(
                    *(self.dockerd, "--host", self.host, "--data-root", self.folder / "data"),
                    *(
                        "--exec-root",
                        self.sockets / "exec",
                        "--pidfile",
                        self.folder / "docker.pid",
                    ),
                ),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **self.settings},
            )
        end = time.monotonic() + 60
        while run("docker", "info", check=False, more=self.environment).returncode:
            text = (self.folder / "dockerd.log").read_text()
            assert self._process.poll() is None and time.monotonic() < end, text[-3000:]
            time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        ids = run("docker", "ps", "--all", "--quiet", more=self.environment).stdout.split()
        if ids:
            run("docker", "rm", "--force", *ids, check=False, more=self.environment)
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self.sockets, ignore_errors=True)
