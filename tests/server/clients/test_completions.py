"""Raw completions through the openai package, and what lm-evaluation-harness needs of them."""
import math

import openai
import pytest

MODEL = "deepseek-chat"
TEXT = "The package manager installs"


def ask(client, prompt=TEXT, **fields):
    fields.setdefault("temperature", 0)
    fields.setdefault("max_tokens", 8)
    return client.completions.create(model=MODEL, prompt=prompt, **fields)


def test_text(client, beta):
    answer = ask(client)
    assert answer.object == "text_completion" and answer.choices[0].text
    assert answer.choices[0].finish_reason in ("stop", "length") and answer.choices[0].logprobs is None
    assert ask(beta).choices[0].text == answer.choices[0].text


def test_stream(client):
    whole = ask(client, max_tokens=24).choices[0].text
    chunks = list(ask(client, max_tokens=24, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].text for c in chunks if c.choices) == whole
    assert chunks[-1].usage.completion_tokens > 0 and chunks[-1].choices == []


def test_fill_in_the_middle(beta, raw):
    answer = ask(beta, "def add(a, b):\n", suffix="\nprint(add(1, 2))", max_tokens=16)
    assert answer.choices[0].text is not None and answer.usage.prompt_tokens > 10
    ids = raw.post("/tokenize", json={"prompt": "def add(a, b):\n", "add_special_tokens": False}).json()["tokens"]
    assert ask(beta, ids, suffix="\nprint(add(1, 2))", max_tokens=16).choices[0].text == answer.choices[0].text


def test_several_prompts_and_choices(client, raw):
    one = [ask(client, p).choices[0].text for p in ("One two", "The")]
    both = ask(client, ["One two", "The"], n=2)
    assert [c.index for c in both.choices] == [0, 1, 2, 3]
    assert [c.text for c in both.choices] == [one[0], one[0], one[1], one[1]]
    ids = [raw.post("/tokenize", json={"prompt": p}).json()["tokens"] for p in ("One two", "The")]
    assert [c.text for c in ask(client, ids).choices] == one
    assert ask(client, ids[0]).choices[0].text == one[0]


def test_echo(client):
    alone = ask(client).choices[0].text
    assert ask(client, echo=True).choices[0].text == TEXT + alone
    assert ask(client, echo=True, max_tokens=0).choices[0].text == TEXT
    parts = [c.choices[0].text for c in ask(client, echo=True, stream=True)]
    assert "".join(parts) == TEXT + alone


def test_logprobs(client):
    choice = ask(client, logprobs=2).choices[0]
    lists = choice.logprobs
    assert "".join(lists.tokens) == choice.text
    assert len(lists.tokens) == len(lists.token_logprobs) == len(lists.top_logprobs) == len(lists.text_offset)
    for token, value, top in zip(lists.tokens, lists.token_logprobs, lists.top_logprobs):
        assert top[token] == value and max(top.values()) == value


def test_special_tokens_of_raw_prompts(raw):
    ids = raw.post("/tokenize", json={"prompt": "<｜User｜>Yes<｜Assistant｜></think>"}).json()["tokens"]
    assert len(ids) == 6 and raw.post("/detokenize", json={"tokens": ids[1:]}).json()["prompt"].startswith("<｜User｜>")


def loglikelihood(client, context, continuation):
    """As lm-evaluation-harness does it: the prompt scored with echo, one token generated and left out."""
    answer = client.completions.create(
        model=MODEL, prompt=context + continuation, temperature=0, max_tokens=1, logprobs=1, echo=True, seed=1
    )
    lists = answer.choices[0].logprobs
    assert len(lists.tokens) == len(context) + len(continuation) + 1
    scores = lists.token_logprobs[len(context) : -1]
    tops = lists.top_logprobs[len(context) : -1]
    greedy = all(lists.tokens[len(context) + i] == max(t, key=t.get) for i, t in enumerate(tops))
    return sum(scores), greedy


def test_loglikelihood(client, raw):
    encode = lambda text, bos=False: raw.post("/tokenize", json={"prompt": text, "add_special_tokens": bos}).json()["tokens"]
    context = encode("<｜User｜>Who are you?<｜Assistant｜></think>", True)
    answer = client.completions.create(model=MODEL, prompt=context, temperature=0, max_tokens=24, logprobs=0)
    likely = encode(answer.choices[0].text)
    good, is_greedy = loglikelihood(client, context, likely)
    bad, bad_greedy = loglikelihood(client, context, encode("Zebra wires umbrella"))
    assert is_greedy and not bad_greedy and good > bad + 5
    if len(likely) == len(answer.choices[0].logprobs.tokens):
        assert math.isclose(good, sum(answer.choices[0].logprobs.token_logprobs), abs_tol=1e-4)


def test_prompt_scores_do_not_depend_on_length(client, raw):
    ids = raw.post("/tokenize", json={"prompt": "The quick brown fox jumps over the lazy dog. " * 20}).json()["tokens"]
    def scores(prompt):
        lists = client.completions.create(
            model=MODEL, prompt=prompt, temperature=0, max_tokens=0, logprobs=0, echo=True
        ).choices[0].logprobs
        assert len(lists.tokens) == len(prompt) and lists.token_logprobs[0] is None
        return lists.token_logprobs[1:]
    assert scores(ids)[:80] == scores(ids[:81])


@pytest.mark.parametrize(
    "fields", [{"prompt": []}, {"prompt": [9999999]}, {"logprobs": 21}, {"max_tokens": -1}, {"best_of": 3}]
)
def test_refusals(client, fields):
    with pytest.raises((openai.BadRequestError, openai.UnprocessableEntityError)) as error:
        ask(client, **fields)
    assert list(fields)[0].split("[")[0] in error.value.message
