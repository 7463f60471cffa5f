"""What the serving layer measures, labelled with the model. Seconds and bytes."""

from prometheus_client import Counter, Gauge, Histogram

_LABEL = ["model_name"]
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

RUNNING = Gauge("num_requests_running", "Requests on the engine now.", _LABEL)
WAITING = Gauge("num_requests_waiting", "Requests in the queue now.", _LABEL)
FIRST_TOKEN = Histogram(
    "time_to_first_token_seconds",
    "From arrival to the first piece of the answer.",
    _LABEL,
    buckets=_SECONDS,
)
LATENCY = Histogram(
    "e2e_request_latency_seconds",
    "From arrival to the end of the answer.",
    _LABEL,
    buckets=_SECONDS,
)
QUEUE = Histogram("queue_seconds", "Time spent in the queue.", _LABEL, buckets=_SECONDS)
FORWARD = Histogram(
    "forward_seconds",
    "Time of a forward pass, or of a generation, on the engine.",
    _LABEL,
    buckets=_SECONDS,
)
BATCH = Histogram(
    "batch_size",
    "Units in a forward pass; for a model that streams, requests sharing the engine at a start.",
    _LABEL,
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
FAILURES = Counter(
    "request_failures_total",
    "Requests that did not end with a complete answer, by error code.",
    ["model_name", "reason"],
)
PROMPT_TOKENS = Counter("prompt_tokens_total", "Tokens of prompts.", _LABEL)
GENERATED_TOKENS = Counter("generation_tokens_total", "Tokens generated.", _LABEL)
OOM_SPLITS = Counter(
    "oom_splits_total", "Batches that ran out of memory and were taken apart.", _LABEL
)
