"""Backups: taken whole, refused when altered, restored to the same contents."""

import io
import random
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backup_data import Data

from atoll_chat.backup import restoring, taking
from atoll_chat.database import WriterLock


@pytest.fixture
def archive(data: Data, tmp_path: Path) -> Path:
    """A backup of `data`."""
    target = tmp_path / "backup.tar"
    done = data.run("backup", target)
    assert done.returncode == 0, done.stderr
    return target


def members(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return opened.getnames()


def test_an_archive_holds_the_data_and_nothing_else(data: Data, archive: Path) -> None:
    names = members(archive)
    assert names[:2] == ["atoll-backup.json", "database.db"]
    assert names[-2:] == ["data/secrets/secret_key", "manifest.json"]
    assert len([name for name in names if name.startswith("files/")]) == 2
    assert len(names) == 6
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert not list(data.folder.rglob(".backup"))
    assert not list(archive.parent.glob(".*"))


def test_an_archive_is_verified_by_restoring_it(data: Data, archive: Path) -> None:
    before = data.everything()
    done = data.run("backup-verify", archive)
    assert done.returncode == 0, done.stderr
    assert "the backup is whole" in done.text
    assert "2 files" in done.text
    assert data.everything() == before
    assert not list(data.folder.glob(".restore-*"))


def test_a_restored_backup_is_what_was_backed_up(
    data: Data, archive: Path, make_data: Callable[[str], Data]
) -> None:
    before = data.everything()
    [(first,), _] = data.query("SELECT id FROM files ORDER BY id")
    data.query("DELETE FROM files")
    data.path(str(first)).unlink()
    later = data.add_file(b"written later")
    lost = data.dump()
    done = data.run("restore", archive)
    assert done.returncode == 0, done.stderr
    assert data.everything() == before
    # What was there is kept, whole.
    [replaced] = data.folder.glob("replaced-*")
    assert str(replaced) in done.text
    kept = make_data("elsewhere")
    (replaced / "db" / "conversation.db").rename(kept.database)
    assert kept.dump() == lost
    assert (replaced / "files" / later[:2] / later).read_bytes() == b"written later"
    assert stat.S_IMODE(data.database.stat().st_mode) == 0o600


def test_secrets_of_before_do_not_win_over_the_restored_ones(
    data: Data, make_data: Callable[[str], Data], tmp_path: Path
) -> None:
    """A backup of host processes on a machine of containers, which has made secrets already."""
    hosts = make_data("host processes")
    (hosts.folder / "secrets.env").write_text("SECRET_KEY=first\nINTERNAL_TOKEN=second\n")
    assert hosts.run("backup", tmp_path / "x.tar").returncode == 0
    key = data.folder / "secrets" / "secret_key"
    key.chmod(0o400)
    assert data.run("restore", tmp_path / "x.tar").returncode == 0
    assert not key.exists()
    assert "first" in (data.folder / "secrets.env").read_text()
    [kept] = data.folder.glob("replaced-*/secrets/secret_key")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_on_another_machine_a_backup_brings_everything(data: Data, archive: Path) -> None:
    other = Data.__new__(Data)
    other.folder = archive.parent / "other"
    other.database = other.folder / "db" / "conversation.db"
    done = other.run("restore", archive)
    assert done.returncode == 0, done.stderr
    assert other.everything() == data.everything()
    assert "kept in" not in done.text


def test_an_archive_goes_through_pipes(data: Data) -> None:
    before = data.everything()
    taken = data.run("backup", "-")
    assert taken.returncode == 0
    assert data.run("backup-verify", "-", stdin=taken.stdout).returncode == 0
    data.query("UPDATE users SET username = 'somebody'")
    assert data.run("restore", "-", stdin=taken.stdout).returncode == 0
    assert data.everything() == before


def test_configuration_goes_along(data: Data, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HTTP_PORT=80\n")
    (tmp_path / "nginx" / "证书").mkdir(parents=True)
    (tmp_path / "nginx" / "证书" / "site.conf").write_text("server {}\n")
    target = tmp_path / "b.tar"
    piped = io.BytesIO()
    with tarfile.open(fileobj=piped, mode="w") as tar:
        info = tarfile.TarInfo("./deployment-config.json")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
    given = ("--config", tmp_path / ".env", "--config", tmp_path / "nginx", "--config-stdin")
    done = data.run("backup", target, *given, stdin=piped.getvalue())
    assert done.returncode == 0, done.stderr
    config = tmp_path / "restored"
    assert data.run("restore", target, "--config-to", config).returncode == 0
    found = {str(p.relative_to(config)): p.read_text() for p in config.rglob("*") if p.is_file()}
    assert found == {
        ".env": "HTTP_PORT=80\n",
        "nginx/证书/site.conf": "server {}\n",
        "deployment-config.json": "{}",
    }


def test_a_name_that_leads_outside_is_refused(data: Data, tmp_path: Path) -> None:
    piped = io.BytesIO()
    with tarfile.open(fileobj=piped, mode="w") as tar:
        info = tarfile.TarInfo("../outside")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
    done = data.run("backup", tmp_path / "x.tar", "--config-stdin", stdin=piped.getvalue())
    assert done.returncode == 1
    assert "../outside" in done.stderr
    assert not list(tmp_path.glob("*.tar"))


def test_an_existing_file_is_not_overwritten(data: Data, archive: Path) -> None:
    before = archive.read_bytes()
    assert data.run("backup", archive).returncode == 1
    assert archive.read_bytes() == before


def test_without_a_database_there_is_nothing_to_back_up(data: Data, tmp_path: Path) -> None:
    data.database.unlink()
    done = data.run("backup", tmp_path / "x.tar")
    assert done.returncode == 1
    assert "nothing to back up" in done.stderr


def test_a_file_that_is_deleted_meanwhile_is_in_no_part_of_the_backup(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(first,), _] = data.query("SELECT id FROM files ORDER BY id")
    copy = taking.copy_database

    def copy_then_delete(database: Path, target: Path) -> None:
        copy(database, target)
        data.query("DELETE FROM files WHERE id = ?", first)
        data.path(str(first)).unlink(missing_ok=True)

    monkeypatch.setattr(taking, "copy_database", copy_then_delete)
    done = data.run("backup", tmp_path / "x.tar")
    assert (done.returncode, "warning" in done.stderr) == (0, False)
    verified = data.run("backup-verify", tmp_path / "x.tar")
    assert "1 files" in verified.text, verified.stderr


def test_a_content_that_is_lost_already_is_named(data: Data, tmp_path: Path) -> None:
    [(first,), (second,)] = data.query("SELECT id FROM files ORDER BY id")
    data.path(str(first)).unlink()
    data.path(str(second)).write_bytes(b"rotten")
    target = tmp_path / "x.tar"
    done = data.run("backup", target)
    assert done.returncode == 0
    for name in (first, second):
        assert str(name) in done.stderr
    verified = data.run("backup-verify", target)
    assert verified.returncode == 0
    assert str(first) in verified.text
    assert str(second) in verified.text


def test_a_running_server_keeps_restore_away(data: Data, archive: Path) -> None:
    lock = WriterLock(data.database.parent)
    lock.acquire()
    try:
        before = data.everything()
        done = data.run("restore", archive)
        assert done.returncode == 1
        assert "in use by process" in done.stderr
        assert data.everything() == before
        assert data.run("backup", archive.with_name("second.tar")).returncode == 0
    finally:
        lock.release()


def test_a_restore_that_is_cut_off_is_run_again(
    data: Data, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after each of its moves, it leaves data that nothing opens but another restore."""
    before = data.everything()
    move = restoring._move
    for stop in range(8):
        data.query("UPDATE users SET username = ?", f"user{stop}")
        done = 0

        def killed(source: Path, target: Path, stop: int = stop) -> None:
            nonlocal done
            if done == stop:
                raise OSError(5, "killed")
            done += 1
            move(source, target)

        monkeypatch.setattr(restoring, "_move", killed)
        failed = data.run("restore", archive)
        assert (failed.returncode, "run the restore again" in failed.stderr) == (1, True)
        monkeypatch.setattr(restoring, "_move", move)
        for command in (("migrate",), ("backup", archive.with_name("no.tar"))):
            refused = data.run(*command)
            assert refused.returncode != 0
        assert "restore" in refused.stderr
        again = data.run("restore", archive)
        assert again.returncode == 0, again.stderr
        assert data.everything() == before


def altered(archive: Path, how: str, at: random.Random) -> bytes:
    content = bytearray(archive.read_bytes())
    with tarfile.open(archive) as tar:
        ends = [member.offset_data + member.size for member in tar]
        starts = [member.offset for member in tar.getmembers()]
    end = ends[-1]
    match how:
        case "a bit":
            # Padding after a member holds nothing; everything else counts.
            place = at.randrange(end)
            content[place] ^= 1 << at.randrange(8)
        case "cut off":
            del content[at.randrange(end) :]
        case "a member removed":
            which = at.randrange(len(starts) - 1)
            del content[starts[which] : starts[which + 1]]
        case "two members swapped":
            i = at.randrange(len(starts) - 2)
            a, b, c = starts[i], starts[i + 1], starts[i + 2]
            content[a:c] = content[b:c] + content[a:b]
        case "a member added":
            extra = io.BytesIO()
            with tarfile.open(fileobj=extra, mode="w") as tar:
                info = tarfile.TarInfo(at.choice(["config/.env", "files/ab/abc", "/etc/passwd"]))
                tar.addfile(info)
            content[starts[2] : starts[2]] = extra.getvalue()[:512]
    return bytes(content)


HOW = ["a bit", "cut off", "a member removed", "two members swapped", "a member added"]


@pytest.mark.parametrize("how", HOW)
def test_what_was_altered_is_refused(how: str, data: Data, archive: Path) -> None:
    at = random.Random(how)
    before = data.everything()
    original = archive.read_bytes()
    checked = 0
    for _ in range(40):
        content = altered(archive, how, at)
        if content == original:
            continue
        done = data.run("restore", "-", stdin=content)
        if done.returncode == 0:
            # The one change that means nothing: in the padding or the time stamp of a member.
            assert how == "a bit"
            assert data.everything() == before
            continue
        checked += 1
        assert "Traceback" not in done.stderr
        assert done.stderr.startswith("atoll-chat: ")
        assert data.everything() == before
        assert not list(data.folder.glob("replaced-*")) or how == "a bit"
    assert checked > 20


@pytest.mark.parametrize("what", [b"f3b0f3b0", b"firstfirst"])
def test_a_secret_or_a_file_with_another_bit_is_refused(
    what: bytes, data: Data, archive: Path
) -> None:
    before = data.everything()
    content = archive.read_bytes()
    assert what in content
    altered = content.replace(what, bytes([what[0] ^ 1]) + what[1:], 1)
    done = data.run("restore", "-", stdin=altered)
    assert done.returncode == 1
    assert "altered or is damaged" in done.stderr
    assert data.everything() == before


def test_a_backup_of_a_later_format_is_refused(data: Data, archive: Path) -> None:
    content = archive.read_bytes().replace(b'{"version":1,', b'{"version":2,', 1)
    done = data.run("backup-verify", "-", stdin=content)
    assert done.returncode == 1
    assert "format 2" in done.stderr
