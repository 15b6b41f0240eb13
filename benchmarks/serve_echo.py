"""A bare FastAPI echo, the baseline of protocol_cost: parses the body with orjson and sends it back."""

from __future__ import annotations

import sys

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()


@app.get("/healthz")
async def healthy() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/cds-services/dxspan-patient-view")
async def echo(request: Request) -> Response:
    return Response(orjson.dumps(orjson.loads(await request.body())), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
