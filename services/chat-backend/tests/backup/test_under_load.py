"""Backups of a server that people write to."""

import subprocess
import sys
import threading
from pathlib import Path

import httpx
from backup_data import Data
from chat_process import ChatProcess


def test_backups_under_writing_load_are_whole(tmp_path: Path) -> None:
    """Files come and go and conversations grow; each backup is one moment of all that."""
    folder = tmp_path / "data"
    enough = threading.Event()
    written: list[str] = []
    failed: list[Exception] = []

    def write(url: str, headers: dict[str, str], turn: int) -> None:
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            while not enough.is_set():
                try:
                    form = {"file": ("a.txt", bytes([turn]) * 5000, "text/plain")}
                    stored = client.post("/api/files", files=form).raise_for_status().json()["id"]
                    client.post("/api/conversations", json={"title": stored}).raise_for_status()
                    if len(written) % 2:
                        client.delete(f"/api/files/{stored}").raise_for_status()
                    written.append(stored)
                except httpx.HTTPError as error:
                    failed.append(error)
                    return

    with ChatProcess(folder, "http://127.0.0.1:9", MAX_CONCURRENT="64") as server:
        headers = server.user()
        writers = [
            threading.Thread(target=write, args=(server.url, headers, turn)) for turn in range(3)
        ]
        for writer in writers:
            writer.start()
        for turn in range(5):
            before = len(written)
            done = run(folder, "backup", tmp_path / f"{turn}.tar")
            assert done.returncode == 0, done.stderr
            assert len(written) > before, "nothing was written meanwhile"
        enough.set()
        for writer in writers:
            writer.join()
    assert failed == []
    for turn in range(5):
        assert run(folder, "backup-verify", tmp_path / f"{turn}.tar").returncode == 0
    assert run(folder, "restore", tmp_path / "4.tar").returncode == 0
    restored = Data.__new__(Data)
    restored.folder, restored.database = folder, folder / "db" / "conversation.db"
    files = [str(row[0]) for row in restored.query("SELECT id FROM files")]
    assert files
    assert {path.name for path in (folder / "files").rglob("*") if path.is_file()} == set(files)
    # A conversation is begun after its file was stored: no later write without the earlier one.
    titles = {row[0] for row in restored.query("SELECT title FROM conversations")}
    assert len(titles) >= len(files) - 3


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "atoll_chat.cli", *map(str, arguments)],
        env={"DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
