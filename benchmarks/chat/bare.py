"""The peer: llama.cpp's own server core in a process of its own, with nothing of Atoll around it.

It speaks lines of JSON on standard input and output: `{"clients": n, "prompts": […],
"max_tokens": t}` gives `{"seconds": s, "tokens": n, "first": [s, …]}`.
"""

import json
import os
import sys
import threading
import time
from typing import Any

import xllamacpp

SYSTEM = "Answer the question briefly and correctly."


def load(path: str, context: int, slots: int) -> Any:
    """The library with its own defaults but for the sizes, which are the service's."""
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx = context * slots
    params.n_parallel = slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = len(os.sched_getaffinity(0))
    params.verbosity = 0
    return xllamacpp.Server(params)


def body(prompt: str, max_tokens: int) -> dict[str, Any]:
    """The request that every contender gets."""
    return {
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def measure(server: Any, prompts: list[str], max_tokens: int) -> dict[str, Any]:
    """Send every prompt at once, a thread each."""
    first: list[float] = []
    tokens: list[int] = []

    def ask(prompt: str) -> None:
        started = time.perf_counter()
        seen = False

        def chunk(part: dict[str, Any]) -> bool:
            nonlocal seen
            choices = part.get("choices")
            if choices and not seen and choices[0]["delta"].get("content"):
                seen = True
                first.append(time.perf_counter() - started)
            if "usage" in part:
                tokens.append(part["usage"]["completion_tokens"])
            return False

        server.handle_chat_completions(body(prompt, max_tokens), chunk)

    threads = [threading.Thread(target=ask, args=(prompt,)) for prompt in prompts]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "tokens": sum(tokens), "first": first}


def main() -> None:
    """Answer measurements until standard input ends."""
    # llama.cpp writes its log to standard error; answers go where nothing else is written.
    path, context, slots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    server = load(path, context, slots)
    for line in sys.stdin:
        request = json.loads(line)
        answer = measure(server, request["prompts"], request["max_tokens"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
