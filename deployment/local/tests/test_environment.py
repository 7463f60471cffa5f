"""Settings of the stack: where they come from, what is refused, and who gets what."""

from pathlib import Path

import pytest

from atoll_local.environment import Environment, read_environment
from atoll_local.problem import BadSetting

SECRETS = {"SECRET_KEY": "s" * 64, "INTERNAL_TOKEN": "t" * 64}


def read(root: Path, **process: str) -> Environment:
    return read_environment(root, process)


def test_defaults(tmp_path: Path) -> None:
    environment = read(tmp_path)
    assert environment.ports == {
        "HTTP_PORT": 8080,
        "CHAT_BACKEND_PORT": 8000,
        "INFERENCE_PORT": 8085,
        "FRONTEND_PORT": 3000,
    }
    assert environment.data_dir == tmp_path / "data"
    assert environment.models_dir == tmp_path / "models"
    assert environment.bind == "0.0.0.0"
    assert environment.local_url == "http://127.0.0.1:8080"


def test_the_process_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\nHTTP_PORT=9000\nREGISTRATION=open\n"
        "LLM_MODEL='a model' # why\nLLM_API_KEY=a$b\n"
    )
    environment = read(tmp_path, HTTP_PORT="9001", REGISTRATION="")
    chat = environment.for_chat_backend(SECRETS)
    assert environment.ports["HTTP_PORT"] == 9001
    assert chat["REGISTRATION"] == "open"
    assert chat["LLM_MODEL"] == "a model"
    assert chat["LLM_API_KEY"] == "a$b"


def test_paths_are_relative_to_the_root_and_may_name_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    environment = read(tmp_path, DATA_DIR="var/data", MODELS_DIR="~/models", MODEL_PATH="/m/x.gguf")
    assert environment.data_dir == tmp_path / "var/data"
    assert environment.models_dir == Path("/home/someone/models")
    variables = environment.for_inference(SECRETS)
    assert variables["MODELS_DIR"] == "/home/someone/models"
    assert variables["MODEL_PATH"] == "/m/x.gguf"


@pytest.mark.parametrize(
    ("variables", "port"),
    [({"PORT": "9000"}, 9000), ({"PORT": "9000", "HTTP_PORT": "9000"}, 9000)],
)
def test_port_is_another_name_of_http_port(
    tmp_path: Path, variables: dict[str, str], port: int
) -> None:
    assert read(tmp_path, **variables).ports["HTTP_PORT"] == port


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PORT": "9000", "HTTP_PORT": "9001"}, ("PORT=9000", "HTTP_PORT=9001")),
        ({"HTTP_PORT": "0"}, ("HTTP_PORT",)),
        ({"HTTP_PORT": "65536"}, ("HTTP_PORT",)),
        ({"INFERENCE_PORT": "many"}, ("INFERENCE_PORT", "many")),
        ({"HTTP_PORT": "8000"}, ("HTTP_PORT", "CHAT_BACKEND_PORT", "8000")),
        ({"HTTP_BIND": "example.org"}, ("HTTP_BIND",)),
        ({"DATA_DIR": "with a space"}, ("DATA_DIR",)),
    ],
)
def test_a_bad_value_is_refused_by_name(
    tmp_path: Path, variables: dict[str, str], named: tuple[str, ...]
) -> None:
    with pytest.raises(BadSetting) as refusal:
        read(tmp_path, **variables)
    assert refusal.value.status == 2
    assert all(word in str(refusal.value) for word in named)


def test_each_process_gets_only_what_it_needs(tmp_path: Path) -> None:
    environment = read(
        tmp_path,
        PATH="/bin",
        ADMIN_PASSWORD="a first password",
        LLM_API_KEY="upstream key",
        CUDA_VISIBLE_DEVICES="0",
        TRUSTED_PROXIES="10.0.0.1",
        HTTPS_PROXY="http://proxy:3128",
        NO_PROXY="example.org",
        UNRELATED="private",
    )
    chat = environment.for_chat_backend(SECRETS)
    inference = environment.for_inference(SECRETS)
    gateway = environment.for_gateway(SECRETS)
    nginx = environment.for_nginx()

    assert chat["SECRET_KEY"] == SECRETS["SECRET_KEY"]
    assert chat["ADMIN_PASSWORD"] == "a first password"
    assert chat["INFERENCE_URL"] == "http://127.0.0.1:8085"
    assert chat["HTTPS_PROXY"] == "http://proxy:3128"
    assert chat["NO_PROXY"] == "example.org,127.0.0.1,localhost"
    assert inference["CHAT_BACKEND_URL"] == "http://127.0.0.1:8000"
    assert inference["CUDA_VISIBLE_DEVICES"] == "0"
    assert gateway["TRUSTED_PROXIES"] == "10.0.0.1"
    for variables in (inference, gateway):
        assert variables["INTERNAL_TOKEN"] == SECRETS["INTERNAL_TOKEN"]
        assert not {"SECRET_KEY", "ADMIN_PASSWORD", "LLM_API_KEY"} & variables.keys()
    assert nginx == {"PATH": "/bin"}
    for variables in (chat, inference, gateway):
        assert "UNRELATED" not in variables


def test_services_are_told_the_same_ports_as_the_gateway(tmp_path: Path) -> None:
    environment = read(tmp_path, CHAT_BACKEND_PORT="7001", INFERENCE_PORT="7002")
    chat, inference = environment.for_chat_backend(SECRETS), environment.for_inference(SECRETS)
    gateway = environment.for_gateway(SECRETS)
    assert chat["CHAT_BACKEND_PORT"] == "7001"
    assert inference["INFERENCE_PORT"] == "7002"
    assert gateway["CHAT_BACKEND_ADDRESS"] == "127.0.0.1:7001"
    assert gateway["INFERENCE_ADDRESS"] == "127.0.0.1:7002"
    assert chat["INFERENCE_URL"] == "http://127.0.0.1:7002"
    assert inference["CHAT_BACKEND_URL"] == "http://127.0.0.1:7001"


def test_the_example_file_changes_nothing(tmp_path: Path) -> None:
    """Copying `.env.example` to `.env` as it is must be harmless."""
    example = Path(__file__).parents[3] / ".env.example"
    (tmp_path / ".env").write_text(example.read_text())
    assert read(tmp_path, PATH="/bin").for_chat_backend(SECRETS) == read_environment(
        tmp_path / "elsewhere",
        {
            "PATH": "/bin",
            "DATA_DIR": str(tmp_path / "data"),
            "MODELS_DIR": str(tmp_path / "models"),
        },
    ).for_chat_backend(SECRETS)
