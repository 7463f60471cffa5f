"""The gateway's question before it passes a request on to the inference service."""

from fastapi import APIRouter, Request, Response

from atoll_chat.accounts.access import nginx_path
from atoll_chat.accounts.dependencies import Accounts
from atoll_kit.errors import ApiError, BadRequest

router = APIRouter(prefix="/internal", tags=["internal"], include_in_schema=False)
_UNQUOTED = str.maketrans({'"': "'", "\\": "/"})


@router.api_route("/authorize", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def authorize(request: Request, accounts: Accounts) -> Response:
    """204 with who asks, or 401 or 403 with the real refusal in `X-Auth-*`.

    The original request is described by `X-Original-Method`, `X-Original-URI` and its own
    Authorization, Cookie, Origin, Host and X-CSRF-Token. nginx lets no other status through.
    """
    headers = request.headers
    try:
        path = nginx_path(headers.get("x-original-uri", ""))
        method = headers.get("x-original-method", "").upper()
        if path is None or not method:
            raise BadRequest("The path of the request cannot be decoded.")
        user = await accounts.authenticator.authenticate(method, path, headers)
    except ApiError as refusal:
        return _refused(refusal)
    identity = {
        "X-Atoll-User": user.user_id,
        "X-Atoll-Role": user.role,
        "X-Atoll-Max-Concurrent": str(accounts.settings.max_concurrent),
    }
    if user.key_id is not None:
        identity["X-Atoll-Key"] = user.key_id
    return Response(status_code=204, headers=identity)


def _refused(refusal: ApiError) -> Response:
    described = {
        "X-Auth-Status": str(refusal.status),
        "X-Auth-Code": refusal.code,
        # The gateway sets it between quotes in a JSON document.
        "X-Auth-Message": refusal.message.encode("ascii", "replace").decode().translate(_UNQUOTED),
    }
    if "Retry-After" in refusal.headers:
        described["Retry-After"] = refusal.headers["Retry-After"]
    return Response(status_code=401 if refusal.status == 401 else 403, headers=described)
