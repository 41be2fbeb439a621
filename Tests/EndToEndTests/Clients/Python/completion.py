"""Reads a step of a run with the OpenAI SDK, as it streams chat completions; a JSON line for each chunk.

completion.py HUB TOKEN RUN [after=N] [step=NAME]...
"""

import json
import sys

from openai import APIError, OpenAI, Stream
from openai.types.chat import ChatCompletionChunk

hub, token, run = sys.argv[1:4]
parameters = dict(argument.split("=", 1) for argument in sys.argv[4:])

client = OpenAI(base_url=f"{hub}/v1", api_key=token, max_retries=0)
stream = client.get(
    f"/runs/{run}/stream",
    cast_to=ChatCompletionChunk,
    options={"params": {"format": "openai", **parameters}},
    stream=True,
    stream_cls=Stream[ChatCompletionChunk],
)
try:
    for chunk in stream:
        assert isinstance(chunk, ChatCompletionChunk) and chunk.object == "chat.completion.chunk"
        choice = chunk.choices[0]
        usage = chunk.usage.model_dump(include={"prompt_tokens", "completion_tokens"}) if chunk.usage else None
        print(
            json.dumps(
                {
                    "id": chunk.id,
                    "model": chunk.model,
                    "role": choice.delta.role,
                    "content": choice.delta.content,
                    "finish": choice.finish_reason,
                    "usage": usage,
                }
            ),
            flush=True,
        )
except APIError as error:
    print(json.dumps({"error": error.code, "message": error.message}), flush=True)
