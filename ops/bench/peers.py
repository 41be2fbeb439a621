# Adds Belfry to the peers of bench.py (BENCH_PEERS); ops/bench/run sets the variables.
import os

_port = os.environ["BELFRY_BENCH_PORT"]
_token = open(os.environ["BELFRY_DATA"] + "/admin.token").read().strip()
_url = f"http://127.0.0.1:{_port}"
PEERS["belfry"] = dict(  # noqa: F821 (bench.py's table)
    cmd=[os.environ["BELFRY_BIN"], "serve", "--port", _port, "--log-level", "warning"],
    port=int(_port),
    url=f"{_url}/hooks/github",
    args=[
        "--url", _url + "/v1/stream?topic=custom/{topic}", "-H", f"Authorization: Bearer {_token}",
        "--pub-url", _url + "/v1/topics/custom/{topic}", "--pub-header", f"Authorization: Bearer {_token}",
        "--pub-header", "Content-Type: application/json", "--body", '{"m":"{m}{pad}"}',
    ],
)
_publish = PEERS["belfry"]["args"][4:]  # noqa: F821
PEERS["belfry-ws"] = dict(  # noqa: F821
    PEERS["belfry"], mode="ws",  # noqa: F821
    args=[
        "--url", _url + "/v1/ws", "-H", f"Authorization: Bearer {_token}", "-H", "Sec-WebSocket-Protocol: belfry.v1",
        "--hello", '{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"topics":["custom/{topic}"]}}',
        *_publish,
    ],
)
