"""FastAPI with a handler on its thread pool: every request runs the model by itself."""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from benchmarks.serving.inputs import KINDS


def main() -> None:
    """Serve until killed."""
    kind = KINDS[sys.argv[1]]
    engine = kind.engine(Path(sys.argv[2]), threads=2)
    engine.load(lambda fraction, stage: None)
    app = FastAPI()

    @app.post("/run")
    async def run(request: Request) -> Any:
        body = await request.json()
        return await run_in_threadpool(lambda: kind.answer(engine.run(kind.item(body))))

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
