"""Messages through the anthropic package."""
import anthropic
import pytest

WHO = [{"role": "user", "content": "Who are you?"}]
SUM = [{"role": "user", "content": "What is 348 + 275?"}]
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def ask(claude, messages=WHO, **fields):
    fields.setdefault("model", "claude-any")
    fields.setdefault("max_tokens", 400)
    return claude.messages.create(messages=messages, extra_body={"temperature": 0}, **fields)


def test_message(claude):
    answer = ask(claude, system="Be brief.")
    assert answer.type == "message" and answer.role == "assistant" and answer.stop_reason == "end_turn"
    assert answer.content[0].type == "text" and answer.content[0].text
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    blocks = ask(claude, system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}])
    assert blocks.content[0].text == answer.content[0].text


def test_thinking(claude):
    answer = ask(claude, SUM, thinking={"type": "enabled", "budget_tokens": 300})
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].thinking and answer.content[0].signature and "623" in answer.content[1].text
    assert [block.type for block in ask(claude, SUM, model="deepseek-reasoner").content] == ["thinking", "text"]
    history = SUM + [{"role": "assistant", "content": [b.model_dump() for b in answer.content]}] + WHO
    assert ask(claude, history).content[0].text


def test_thinking_budget(claude):
    answer = ask(claude, SUM, thinking={"type": "enabled", "budget_tokens": 4})
    assert len(answer.content[0].thinking) < 60 and answer.content[1].type == "text"


def test_stream(claude):
    whole = ask(claude, SUM, model="deepseek-reasoner")
    with claude.messages.stream(model="deepseek-reasoner", max_tokens=400, messages=SUM, extra_body={"temperature": 0}) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert final.content[0].thinking == whole.content[0].thinking and final.content[0].signature
    assert final.content[1].text == whole.content[1].text
    assert final.stop_reason == "end_turn" and final.usage.output_tokens == whole.usage.output_tokens
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"


def test_stop_and_length(claude):
    whole = ask(claude).content[0].text
    word = whole.split()[3]
    cut = ask(claude, stop_sequences=[word])
    assert cut.stop_reason == "stop_sequence" and cut.stop_sequence == word
    assert cut.content[0].text == whole[: whole.index(word)]
    assert ask(claude, max_tokens=2).stop_reason == "max_tokens"


def test_prefill(claude):
    answer = ask(claude, WHO + [{"role": "assistant", "content": "I am a"}])
    assert answer.content[0].text and not answer.content[0].text.startswith("I am a")


def test_tools(claude):
    answer = ask(claude, tools=[WEATHER], tool_choice={"type": "any", "disable_parallel_tool_use": True})
    call = answer.content[-1]
    assert answer.stop_reason == "tool_use" and call.type == "tool_use" and call.name == "get_weather"
    assert isinstance(call.input, dict)
    named = ask(claude, tools=[WEATHER], tool_choice={"type": "tool", "name": "get_weather"})
    assert named.content[-1].name == "get_weather"
    result = [{"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "18 C"}]},
              {"type": "text", "text": "And now?"}]
    history = WHO + [{"role": "assistant", "content": [b.model_dump() for b in answer.content]},
                     {"role": "user", "content": result}]
    assert ask(claude, history, tools=[WEATHER], max_tokens=20).usage.input_tokens > 20


def test_streamed_tools(claude):
    with claude.messages.stream(
        model="x", max_tokens=400, messages=WHO, extra_body={"temperature": 0}, tools=[WEATHER],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
    ) as stream:
        parts = [e.delta.partial_json for e in stream if e.type == "content_block_delta" and e.delta.type == "input_json_delta"]
        final = stream.get_final_message()
    assert final.content[-1].type == "tool_use" and final.stop_reason == "tool_use"
    assert "".join(parts).strip().startswith("{") and isinstance(final.content[-1].input, dict)


def test_count_tokens(claude):
    counted = claude.messages.count_tokens(model="x", messages=WHO, system="Be brief.", tools=[WEATHER])
    answer = ask(claude, system="Be brief.", tools=[WEATHER], max_tokens=1)
    usage = answer.usage
    assert counted.input_tokens == usage.input_tokens + usage.cache_read_input_tokens


def test_cache(claude):
    messages = [{"role": "user", "content": "Tell me about rivers. " * 40}]
    ask(claude, messages, max_tokens=4)
    assert ask(claude, messages, max_tokens=4).usage.cache_read_input_tokens >= 64


def test_models(claude):
    models = list(claude.models.list())
    assert {"deepseek-chat", "deepseek-reasoner"} <= {model.id for model in models}
    assert claude.models.retrieve("deepseek-chat").display_name == "deepseek-chat"


@pytest.mark.parametrize(
    "fields, name",
    [
        ({"extra_body": {"temperature": 3}}, "temperature"),
        ({"messages": []}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages[0].content[0].type"),
        ({"tools": [{"name": "x", "input_schema": 5}]}, "tools[0].input_schema"),
    ],
)
def test_refusals(claude, fields, name):
    with pytest.raises(anthropic.BadRequestError) as error:
        claude.messages.create(**{"model": "x", "max_tokens": 5, "messages": WHO, **fields})
    body = error.value.body
    assert body["type"] == "error" and body["error"]["type"] == "invalid_request_error" and name in body["error"]["message"]
