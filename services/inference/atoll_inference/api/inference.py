"""`POST /inference/{task}`: inputs in, JSON, bytes or a stream of progress out."""

import asyncio
import json
import shutil
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.background import BackgroundTask

from atoll_inference.api.disconnect import cancelled_on_disconnect
from atoll_inference.api.replies import FileReply, Reply, Wanted
from atoll_inference.api.state import Service, State, Who
from atoll_inference.api.task_docs import request_body, responses
from atoll_inference.api.task_input import TaskCall, open_input, read_call
from atoll_inference.api.tasks import TASKS, Conditions, Given, Task
from atoll_inference.serving.batch_lane import Seat
from atoll_inference.serving.caller import Caller
from atoll_inference.serving.cancel import Cancel
from atoll_inference.serving.client import deadline_in
from atoll_inference.serving.failures import as_api_error
from atoll_inference.serving.work import OnProgress, Outcome
from atoll_kit.errors import Unprocessable, error_payload

router = APIRouter(tags=["tasks"])

JOB_S = 7 * 24 * 3600.0
"""Longest time for a job, whose owner sets the real limit."""

PING_S = 10.0
"""A silent stream of progress gives a comment this often, in seconds."""


class TaskRun:
    """One request to a task, from its body to its answer.

    Everything it opens is closed with `stack`.
    """

    def __init__(
        self, task: Task, call: TaskCall, service: State, caller: Caller, *, job: bool, accept: str
    ) -> None:
        self.task = task
        self.call = call
        self.cancel = Cancel()
        self.wanted = Wanted(accept, as_file=job)
        self._service = service
        self.caller = caller
        self._job = job
        self.stack = AsyncExitStack()
        self.folder = service.settings.spool_dir / uuid.uuid4().hex

    async def close(self) -> None:
        """Remove the request's folder and close its files."""
        await self.stack.aclose()
        if not self.task.takes_text:  # a text needs no folder
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def answer(self, on_progress: OnProgress | None = None) -> dict[str, Any] | FileReply:
        """The answer as JSON, or the file that the client asked for.

        Raises:
            ApiError: for the whole request; single inputs of a batch fail by themselves.
        """
        settings = self._service.settings
        async with self._service.client.seat(
            self.task.name,
            self.call.wish.model,
            caller=self.caller,
            deadline=deadline_in(JOB_S if self._job else settings.request_timeout),
            cancel=self.cancel,
            bulk=self._job or len(self.call.inputs) > 1,
        ) as seat:
            if self.call.is_batch:
                return await self._batch(seat)
            given = await open_input(
                self.call.inputs[0], self.task, self._service, self.caller.user, self.stack
            )
            prepare = partial(self._prepare, given, self.call.inputs[0].kind)
            outcome = await seat.run(prepare, partial(self._tell, self.wanted), on_progress)
            if isinstance(outcome.result, FileReply):
                if not self._job:
                    return outcome.result
                kept = await self._service.results.keep(outcome.result, self.caller.user)
                told = {"file": kept.model_dump(), **outcome.result.facts}
                return _answer(self.task, seat.model, told, outcome)
            return _answer(self.task, seat.model, outcome.result, outcome)

    async def _batch(self, seat: Seat) -> dict[str, Any]:
        async def one(index: int) -> Outcome:
            given_input = self.call.inputs[index]
            given = await open_input(
                given_input, self.task, self._service, self.caller.user, self.stack
            )
            prepare = partial(self._prepare, given, given_input.kind)
            return await seat.run(prepare, partial(self._tell, Wanted("application/json")))

        ends = await asyncio.gather(
            *(one(index) for index in range(len(self.call.inputs))), return_exceptions=True
        )
        if seat.error is not None:
            raise seat.error
        results: list[dict[str, Any]] = []
        for end in ends:
            if isinstance(end, Outcome):
                results.append({"result": end.result, "timings": _timings(end)})
            else:
                results.append(error_payload(as_api_error(end, self.caller)))
        return {"task": self.task.name, "model": seat.model, "results": results}

    def _prepare(self, given: Given, kind: str | None) -> Any:
        settings = self._service.settings
        sync = None if self._job else settings.sync_max_pixels
        # Every input of a batch gets a folder of its own.
        folder = self.folder / uuid.uuid4().hex
        if not self.task.takes_text:
            folder.mkdir(parents=True)
        return self.task.item(
            given, self.call.wish, Conditions(settings.media_limits, folder, sync, kind)
        )

    def _tell(self, wanted: Wanted, result: Any) -> Reply:
        return self.task.tell(result, wanted)


def _answer(task: Task, model: str, result: Any, outcome: Outcome) -> dict[str, Any]:
    return {
        "task": task.name,
        "model": model,
        "result": result,
        "timings": _timings(outcome),
    }


def _timings(outcome: Outcome) -> dict[str, float]:
    t = outcome.timings
    seconds = {
        "queue": t.queue,
        "preprocess": t.preprocess,
        "forward": t.forward,
        "postprocess": t.postprocess,
        "total": t.total,
    }
    return {name: round(value, 6) for name, value in seconds.items()}


async def _events(run: TaskRun) -> AsyncGenerator[bytes]:
    """Progress, then one `done` or `error`; closing the generator cancels the request."""
    updates: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    work = asyncio.create_task(run.answer(lambda *update: updates.put_nowait(update)))
    try:
        while not work.done() or not updates.empty():
            getter = asyncio.ensure_future(updates.get())
            await asyncio.wait({getter, work}, timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
            if getter.done():
                fraction, stage = getter.result()
                while not updates.empty():  # only the latest matters
                    fraction, stage = updates.get_nowait()
                yield _event("progress", {"fraction": round(fraction, 4), "stage": stage})
            else:
                getter.cancel()
                if not work.done():
                    yield b": ping\n\n"
        try:
            answer = work.result()
        except Exception as error:
            yield _event("error", error_payload(as_api_error(error, run.caller)))
        else:
            assert isinstance(answer, dict)  # see `run_task`: a stream asks for no bare file
            yield _event("done", answer)
    finally:
        work.cancel()
        await asyncio.wait({work})
        await run.close()


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def run_task(task: Task, request: Request, service: State, caller: Caller) -> Response:
    """Answer a request to `task`."""
    accept = request.headers.get("accept", "").lower()
    streams = "text/event-stream" in accept
    async with AsyncExitStack() as stack:
        call = await read_call(task, request, service, stack)
        job = "x-atoll-job" in request.headers
        # A stream tells its result as JSON, unless it is a job, whose result is kept as a file.
        run = TaskRun(task, call, service, caller, job=job, accept="" if streams else accept)
        run.stack.push_async_callback(stack.pop_all().aclose)
    if streams:
        if call.is_batch:
            await run.close()
            raise Unprocessable(
                "A batch is not streamed. Ask for application/json.", param="inputs"
            )
        return StreamingResponse(
            _events(run),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    try:
        async with cancelled_on_disconnect(request.receive, run.cancel):
            answer = await run.answer()
    except BaseException:
        await run.close()
        raise
    if not isinstance(answer, FileReply):
        await run.close()
        return JSONResponse(answer)
    headers = {f"X-Result-{k.title().replace('_', '-')}": str(v) for k, v in answer.facts.items()}
    if isinstance(answer.content, Path):
        return FileResponse(
            answer.content,
            media_type=answer.media_type,
            headers=headers,
            background=BackgroundTask(run.close),
        )
    await run.close()
    return Response(answer.content, media_type=answer.media_type, headers=headers)


def _add(task: Task) -> None:
    async def endpoint(request: Request, service: Service, caller: Who) -> Response:
        return await run_task(task, request, service, caller)

    router.add_api_route(
        f"/inference/{task.name}",
        endpoint,
        methods=["POST"],
        name=task.name,
        summary=task.summary,
        response_model=None,
        responses=responses(task),
        openapi_extra={"requestBody": request_body(task)},
    )


for _task in TASKS.values():
    _add(_task)
