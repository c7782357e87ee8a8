"""The Responses API through the openai package."""
import json

import openai
import pytest

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def ask(client, content="Who are you?", **fields):
    fields.setdefault("model", "deepseek-chat")
    return client.responses.create(input=content, temperature=0, **fields)


def test_text(client):
    answer = ask(client, instructions="Be brief.", metadata={"a": "b"})
    assert answer.status == "completed" and answer.output_text and answer.metadata == {"a": "b"}
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.output[-1].type == "message" and answer.store is False


def test_reasoning(client):
    answer = ask(client, "What is 348 + 275?", reasoning={"effort": "high"})
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert "623" in answer.output_text and answer.output[0].content[0].text
    assert answer.usage.output_tokens_details.reasoning_tokens > 0
    assert [i.type for i in ask(client, model="deepseek-reasoner", reasoning={"effort": "minimal"}).output] == ["message"]


def test_incomplete(client):
    answer = ask(client, max_output_tokens=3)
    assert answer.status == "incomplete" and answer.incomplete_details.reason == "max_output_tokens"


def test_stream(client):
    whole = ask(client, "What is 348 + 275?", model="deepseek-reasoner")
    with client.responses.stream(model="deepseek-reasoner", input="What is 348 + 275?", temperature=0) as stream:
        events = list(stream)
        final = stream.get_final_response()
    types = [event.type for event in events]
    assert types[:2] == ["response.created", "response.in_progress"] and types[-1] == "response.completed"
    numbers = [event.sequence_number for event in events if hasattr(event, "sequence_number")]
    assert numbers == sorted(set(numbers))
    assert final.output_text == whole.output_text
    assert types.count("response.output_item.added") == types.count("response.output_item.done") == 2
    text = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert text == whole.output_text


def test_tools(client):
    answer = ask(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)
    call = answer.output[-1]
    assert call.type == "function_call" and set(json.loads(call.arguments)) == {"city"}
    named = ask(client, tools=[WEATHER], tool_choice={"type": "function", "name": "get_weather"})
    assert named.output[-1].name == "get_weather"
    items = [{"role": "user", "content": "Weather in Rome?"}, call.model_dump(),
             {"type": "function_call_output", "call_id": call.call_id, "output": "18 C"}]
    assert ask(client, items, tools=[WEATHER], max_output_tokens=20).usage.input_tokens > 10


def test_streamed_tools(client):
    events = list(ask(client, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, stream=True))
    parts = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
    done = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert len(done) == 1 and done[0].arguments == parts and set(json.loads(parts)) == {"city"}


def test_formats(client):
    schema = WEATHER["parameters"]
    text = {"format": {"type": "json_schema", "name": "place", "strict": True, "schema": schema}}
    answer = ask(client, text=text, max_output_tokens=400)
    assert answer.status == "incomplete" or set(json.loads(answer.output_text)) == {"city"}
    answer = ask(client, text={"format": {"type": "json_object"}}, max_output_tokens=400)
    assert answer.status == "incomplete" or isinstance(json.loads(answer.output_text), dict)


def test_logprobs(client):
    answer = ask(client, include=["message.output_text.logprobs"], top_logprobs=2)
    entries = answer.output[-1].content[0].logprobs
    assert "".join(e.token for e in entries) == answer.output_text and len(entries[0].top_logprobs) == 2


@pytest.mark.parametrize("fields", [{"previous_response_id": "resp_1"}, {"background": True}, {"temperature": 5},
                                    {"tools": [{"type": "web_search"}]}])
def test_refusals(client, fields):
    with pytest.raises(openai.BadRequestError) as error:
        client.responses.create(**{"model": "deepseek-chat", "input": "Hi", **fields})
    assert list(fields)[0] in error.value.message
