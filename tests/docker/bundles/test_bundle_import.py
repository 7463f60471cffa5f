"""The life of an installed stack: import, upgrade, what fails, and the way back."""

import pytest

from .conftest import MakeRelease, Signed
from .machine import Host, images, remove_images, run


def test_import_upgrade_and_rollback(host: Host, old: Signed, new: Signed) -> None:
    remove_images(old.release)
    done = host.install(old.bundle, *old.proof)
    assert f"release {old.release} serves" in done.stdout
    assert "answer: Paris" in done.stdout
    assert (host.committed, host.served()) == (old.release, old.release)

    host.write_row("row before the upgrade")
    # The key is remembered: no option names it.
    done = host.install(new.bundle)
    assert (host.committed, host.served()) == (new.release, new.release)
    assert {f"atoll/gateway:{old.release}", f"atoll/gateway:{new.release}"} <= images()
    assert list((host.folder / "data" / "backups").glob(f"before-{new.release}-*.tar"))

    host.write_row("row since the upgrade")
    done = host.rollback()
    assert (host.committed, host.served()) == (old.release, old.release)
    assert {"row before the upgrade", "row since the upgrade"} <= set(host.rows)
    # It was the first one here: there is no further way back.
    done = host.rollback(check=False)
    assert done.returncode == 1
    assert "no release before" in done.stderr
    assert host.served() == old.release


def test_import_again_repairs_and_changes_nothing(host: Host, old: Signed) -> None:
    host.install(old.bundle, *old.proof)
    before = host.pictures()
    (host.folder / "docker-compose.yml").unlink()
    run("docker", "rm", "--force", f"{host.environment['COMPOSE_PROJECT_NAME']}-gateway-1")
    host.install(old.bundle)
    assert host.pictures() == before
    assert host.served() == old.release


@pytest.mark.parametrize("fault", ["health", "migrate", "selftest"])
def test_a_release_that_does_not_come_up_goes_back(
    host: Host, old: Signed, make_release: MakeRelease, fault: str
) -> None:
    broken = make_release(f"0.0.3-{fault}", fault)
    host.install(old.bundle, *old.proof)
    host.write_row("a row")
    before = host.pictures()
    done = host.install(broken.bundle, check=False, ATOLL_START_TIMEOUT="10")
    assert done.returncode == 1
    assert f"release {old.release} serves again" in done.stdout
    assert host.served() == old.release
    after = host.pictures()
    assert {
        name: text for name, text in after.items() if f"releases/{broken.release}" not in name
    } == before
    assert "a row" in host.rows


def test_a_first_import_that_does_not_come_up_leaves_nothing_running(
    host: Host, make_release: MakeRelease
) -> None:
    broken = make_release("0.0.3-first", "selftest")
    done = host.install(broken.bundle, *broken.proof, check=False)
    assert done.returncode == 1
    assert "it was the first one here" in done.stderr
    assert (host.committed, host.served()) == ("", "")
    assert not (host.folder / "docker-compose.yml").exists()


def test_rollback_over_a_breaking_migration_needs_a_word(
    host: Host, old: Signed, make_release: MakeRelease
) -> None:
    breaking = make_release("0.0.4-breaking", "breaking")
    host.install(old.bundle, *old.proof)
    host.write_row("row before the upgrade")
    host.install(breaking.bundle)
    host.write_row("row since the upgrade")

    refused = host.rollback(check=False)
    assert refused.returncode == 3
    assert "messages: 1 row would go" in refused.stdout
    assert "--discard-since-upgrade" in refused.stderr
    assert host.served() == breaking.release

    host.rollback("--discard-since-upgrade")
    assert host.served() == old.release
    assert "row before the upgrade" in host.rows
    assert "row since the upgrade" not in host.rows
    kept = list((host.folder / "data").glob("replaced-*/**/conversation.db"))
    assert any("row since the upgrade" in file.read_text() for file in kept)


def test_without_start_an_upgrade_only_loads(host: Host, old: Signed, new: Signed) -> None:
    host.install(old.bundle, *old.proof)
    script = new.bundle / "import-docker-images.sh"
    done = run("bash", script, "--yes", more=host.environment)
    assert f"{old.release} goes on serving" in done.stdout
    assert (host.committed, host.served()) == (old.release, old.release)


def test_first_import_without_start_can_be_started_by_hand(host: Host, old: Signed) -> None:
    run("bash", old.bundle / "import-docker-images.sh", "--yes", *old.proof, more=host.environment)
    assert (host.committed, host.served()) == (old.release, "")
    run("docker", "compose", "up", "--detach", cwd=host.folder / "deployment" / "docker")
    assert host.served(seconds=20) == old.release


def test_a_name_is_never_moved_to_another_image(
    host: Host, make_release: MakeRelease, old: Signed
) -> None:
    first = make_release("0.0.5")
    make_release("0.0.5", "other content")
    done = host.install(first.bundle, *first.proof, check=False)
    assert done.returncode == 1
    assert "one release is one content" in done.stdout


def test_preflight_names_a_port_in_use(host: Host, old: Signed) -> None:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", host.port))
        listener.listen()
        done = host.install(old.bundle, *old.proof, check=False)
    assert done.returncode == 1
    assert f"{host.port} is in use by another program" in done.stdout
    assert not (host.folder / "docker-compose.yml").exists()


def test_questions_need_a_terminal(host: Host, old: Signed) -> None:
    script = old.bundle / "import-docker-images.sh"
    done = run("bash", script, *old.proof, check=False, more=host.environment)
    assert done.returncode == 1
    assert "--yes" in done.stderr


def test_an_import_needs_a_key_or_a_word(host: Host, old: Signed) -> None:
    done = host.install(old.bundle, check=False)
    assert done.returncode == 1
    assert "--public-key" in done.stderr
    host.install(old.bundle, "--allow-unsigned")
    assert host.served() == old.release
