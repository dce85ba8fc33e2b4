"""The static cache against the growing one, which is held to `generate` elsewhere: token by token, on a CPU, without graphs."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fixtures.tiny_models import FAMILIES, make_tiny
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import ModelError, SettingsError
from unfaithful_cot.inference import row_cache, static, steps
from unfaithful_cot.inference.completion import Question
from unfaithful_cot.inference.decode import Decoding, continue_rows
from unfaithful_cot.inference.engine import answer
from unfaithful_cot.inference.row_cache import NAME, borrowed
from unfaithful_cot.inference.sampling import uniforms
from unfaithful_cot.inference.static import continue_many, supported
from unfaithful_cot.models.adapters import attach, new_adapter
from unfaithful_cot.models.load import load_reasoner

FLOAT = LoadingSettings(dtype="float32", device="cpu")
GREEDY = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=50)
SAMPLED = Decoding(temperature=1.0, top_p=0.9, max_new_tokens=50)


def early_stopping(folder, loading=FLOAT):
    """A tiny model, its end token made likely, so that rows end at different steps."""
    reasoner = load_reasoner({"source": str(folder)}, loading)
    with torch.no_grad():
        reasoner.model.lm_head.weight[reasoner.tokenizer.eos_token_id] *= 2.0
    return reasoner


def prompts_for(reasoner, count=20):
    """Prompts of different lengths; the last is a single token, which leaves nothing to write before the first step."""
    texts = [f"Option {n} " + "the board cites the memo " * (n % 5) for n in range(count - 1)]
    found = [reasoner.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    return [*found, found[0][:1]]


def statically(reasoner, prompts, seeds, decoding, rows):
    found = {}
    for ended in continue_many(reasoner, prompts, seeds, decoding, rows):
        for index, continuation in ended:
            assert index not in found
            found[index] = continuation
    return [found[index] for index in range(len(prompts))]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_static_is_eager_token_by_token(tiny, family, decoding):
    reasoner = early_stopping(tiny[family])
    prompts, seeds = prompts_for(reasoner), list(range(20))
    eager = continue_rows(reasoner, prompts, seeds, decoding)
    assert len({len(c.token_ids) for c in eager}) > 4  # rows ended at different steps
    for rows in (20, 6, 1):
        assert statically(reasoner, prompts, seeds, decoding, rows) == eager
    assert reasoner.model.config._attn_implementation == "sdpa"  # the model is given back as it was


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_that_end_where_their_lengths_say(tiny, family, monkeypatch):
    """What a GPU's kernel is told, with plain arithmetic in its place: each sequence as long as its length, nothing behind."""

    def plain(query, key, value, sequences, begins, longest, lengths, scaling):
        assert sequences.tolist() == list(range(len(query) + 1))
        assert lengths.is_contiguous()  # the kernel asks for it
        found = torch.empty_like(query)
        for n, (begin, length) in enumerate(zip(begins.tolist(), lengths.tolist(), strict=False)):
            assert length <= longest == begins[n + 1] - begin
            keys, values = (part[begin : begin + length, 0] for part in (key, value))
            found[n] = (query[n] @ keys.T * scaling).softmax(-1) @ values
        return found

    monkeypatch.setattr(row_cache, "_by_lengths", plain)
    monkeypatch.setattr(steps, "reads_lengths", lambda model: True)
    reasoner = early_stopping(tiny[family])
    prompts, seeds = prompts_for(reasoner), list(range(20))
    eager = continue_rows(reasoner, prompts, seeds, SAMPLED)
    for rows in (6, 1):
        assert statically(reasoner, prompts, seeds, SAMPLED, rows) == eager


def test_an_adapter_that_is_not_merged(tiny, tmp_path):
    fresh = new_adapter(load_reasoner({"source": str(tiny["qwen3"])}, FLOAT), TrainingSettings(lora_r=4), 0)
    for name, parameter in fresh.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    fresh.model.save_pretrained(str(tmp_path))
    reasoner = attach(early_stopping(tiny["qwen3"]), tmp_path, merge=False)
    prompts, seeds = prompts_for(reasoner), list(range(20))
    assert statically(reasoner, prompts, seeds, GREEDY, 8) == continue_rows(reasoner, prompts, seeds, GREEDY)


def test_weights_in_four_bit(tiny):
    reasoner = load_reasoner(
        {"source": str(tiny["qwen3"])}, LoadingSettings(use_4bit=True, dtype="float32", device="cpu")
    )
    prompts, seeds = prompts_for(reasoner, 6), list(range(6))
    short = Decoding(0.0, 1.0, 12)
    assert statically(reasoner, prompts, seeds, short, 6) == continue_rows(reasoner, prompts, seeds, short)


def test_the_cache_grows_and_loses_rows_that_ended(tiny, monkeypatch):
    """Blocks of 8 tokens, a look every 4 steps, so that 50 tokens need several caches."""
    monkeypatch.setattr(static, "BLOCK", 8)
    monkeypatch.setattr(static, "BLOCK_TOKENS", 8)
    monkeypatch.setattr(static, "ALIGNED", 1)
    monkeypatch.setattr(static, "CHECK_STEPS", 4)
    kept = []
    keep = steps.Rows.keep

    def seen(self, rows, capacity):
        kept.append((self.cache.layers[0][0].shape[0], len(rows), capacity))
        keep(self, rows, capacity)
        assert self.cache.layers[-1][1].shape[0] == len(rows)
        assert self.cache.layers[-1][1].shape[2] == capacity

    monkeypatch.setattr(steps.Rows, "keep", seen)
    reasoner = early_stopping(tiny["qwen3"])
    prompts, seeds = prompts_for(reasoner, 40), list(range(40))
    found = statically(reasoner, prompts, seeds, SAMPLED, 40)
    assert found == continue_rows(reasoner, prompts, seeds, SAMPLED)
    assert len(kept) > 3
    assert any(after * 2 <= before for before, after, _ in kept)  # half of the rows had ended
    assert any(later > earlier for (*_, earlier), (*_, later) in itertools.pairwise(kept))  # it grew


def test_a_limit_of_one_token_and_no_end_token(tiny):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    prompts = prompts_for(reasoner, 5)
    for limit in (1, 16, 17):
        found = statically(reasoner, prompts, [0] * 5, Decoding(0.0, 1.0, limit), 5)
        assert [(len(c.token_ids), c.finish_reason) for c in found] == [(limit, "length")] * 5


def failing_above(reasoner, rows, after=0):
    """The model runs out of memory, as PyTorch says it, when more than `rows` rows come, from the call `after` on."""
    calls = []

    def refuse(module, args, kwargs):
        calls.append(len(kwargs["input_ids"]))
        if calls[-1] > rows and len(calls) > after:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    return calls, reasoner.model.register_forward_pre_hook(refuse, with_kwargs=True)


@pytest.mark.parametrize("after", [0, 8])
@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_out_of_memory_half_of_the_rows_wait_and_nothing_is_lost(tiny, decoding, after, capsys):
    reasoner = early_stopping(tiny["qwen3"])
    prompts, seeds = prompts_for(reasoner), list(range(20))
    eager = continue_rows(reasoner, prompts, seeds, decoding)
    calls, hook = failing_above(reasoner, 6, after)
    assert statically(reasoner, prompts, seeds, decoding, 20) == eager
    hook.remove()
    assert max(calls) == 20
    said = capsys.readouterr().err
    assert "out of memory with" in said
    assert "cases at once: going on with" in said


def test_out_of_memory_of_the_eager_way(tiny, capsys):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    questions = [
        Question([{"role": "user", "content": "A or B? " + "the memo " * (n % 3)}], n) for n in range(9)
    ]
    short = Decoding(0.0, 1.0, 6)
    whole = dict(pair for ended in answer(reasoner, questions, short, 9) for pair in ended)
    _, hook = failing_above(reasoner, 2)
    assert dict(pair for ended in answer(reasoner, questions, short, 9) for pair in ended) == whole
    assert capsys.readouterr().err.splitlines() == [
        "out of memory with 9 cases at once: going on with 4",
        "out of memory with 4 cases at once: going on with 2",
    ]
    hook.remove()


@pytest.mark.parametrize("decoder", ["eager", "static"])
def test_a_single_case_that_does_not_fit(tiny, decoder):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    failing_above(reasoner, 0)
    questions = [Question([{"role": "user", "content": "A or B?"}], 0)]
    with pytest.raises(ModelError) as error:
        list(answer(reasoner, questions, GREEDY, 1, decoder))
    assert str(error.value).startswith(
        "inference.batch_rows: the memory left beside the model does not hold a single case (prompt of "
    )
    assert "Set loading.use_4bit: true, lower inference.max_new_tokens" in str(error.value)


def test_the_engine_answers_the_same_by_either_decoder(tiny):
    reasoner = early_stopping(tiny["r1_llama"])
    questions = [
        Question([{"role": "user", "content": "A or B? " + "the memo " * (n % 4)}], n) for n in range(9)
    ]

    def answered(decoder):
        found = answer(reasoner, questions, SAMPLED, "auto", decoder)
        return dict(pair for ended in found for pair in ended)

    assert answered("static") == answered("eager") == answered("auto")


def test_a_model_that_the_static_cache_does_not_know(tmp_path):
    reasoner = load_reasoner({"source": str(make_tiny(tmp_path / "m"))}, FLOAT)
    assert supported(reasoner)
    reasoner.model.config.layer_types = ["full_attention", "sliding_attention"]
    assert not supported(reasoner)
    reasoner.model.config.layer_types, reasoner.model.config.model_type = ["full_attention"] * 2, "gemma3"
    with pytest.raises(SettingsError) as error:
        list(answer(reasoner, [Question([{"role": "user", "content": "A"}], 0)], GREEDY, 1, "static"))
    assert str(error.value) == (
        "inference.decoder: 'static' cannot be used with a model of type 'gemma3'. "
        "It knows llama, qwen2, qwen3, without sliding windows. Set inference.decoder: auto."
    )


def test_the_model_is_given_back_when_a_reader_stops_early(tiny):
    reasoner = early_stopping(tiny["qwen3"])
    norm = reasoner.model.model.norm
    running = continue_many(reasoner, prompts_for(reasoner), [0] * 20, GREEDY, 20)
    next(running)
    assert reasoner.model.config._attn_implementation == NAME
    assert "forward" in vars(norm)
    running.close()  # type: ignore[attr-defined]
    assert reasoner.model.config._attn_implementation == "sdpa"
    assert "forward" not in vars(norm)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there a graph can be recorded")
def test_where_no_graph_can_be_recorded_it_goes_on_and_the_log_says_so(tiny, caplog):
    reasoner = early_stopping(tiny["qwen3"])
    prompts, seeds = prompts_for(reasoner), list(range(20))
    running = continue_many(reasoner, prompts, seeds, SAMPLED, 20, graphs=True)
    found = dict(pair for ended in running for pair in ended)
    assert [found[index] for index in range(20)] == continue_rows(reasoner, prompts, seeds, SAMPLED)
    assert "decoding without a CUDA graph: " in caplog.text


class Watch(TorchDispatchMode):
    """Notes every operation that has a tensor of the CPU among its arguments or results."""

    def __init__(self):
        super().__init__()
        self.seen, self.on_cpu = 0, []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        found = operation(*args, **(kwargs or {}))
        self.seen += 1
        if any(
            isinstance(leaf, torch.Tensor) and leaf.device.type == "cpu"
            for leaf in tree_leaves((args, kwargs, found))
        ):
            self.on_cpu.append(str(operation))
        return found


def elsewhere(owner):
    """Move all tensors of an object to the device `meta`, which holds no numbers: asking for one is an error."""
    for name, value in list(vars(owner).items()):
        if isinstance(value, torch.Tensor):
            setattr(owner, name, value.to("meta"))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_step_neither_asks_the_device_nor_copies_to_it(tiny, family, decoding):
    """What a CUDA graph forbids. A number that a step read would be missing on `meta`, one that it copied is on the CPU."""
    reasoner = load_reasoner({"source": str(tiny[family])}, LoadingSettings(dtype="bfloat16", device="cpu"))
    numbers = uniforms([0, 1], 50) if decoding.temperature else None
    with borrowed(reasoner.model):
        rows = steps.Rows(reasoner, [[5, 6, 7], [8, 9]], numbers, [0, 0], decoding, 64, graphs=False)
        rows.advance(2)
        reasoner.model.to("meta")
        elsewhere(rows)
        rows.device, rows.cache.positions = torch.device("meta"), rows.position
        rows.cache.at = rows.cache.at.to("meta")
        rows.cache.layers = [(keys.to("meta"), values.to("meta")) for keys, values in rows.cache.layers]
        with Watch() as watch, torch.inference_mode():
            rows._step()
    assert watch.seen > 100
    assert watch.on_cpu == []


def test_every_tensor_of_a_step_keeps_its_address(tiny):
    """A graph reads and writes where it did when it was recorded."""
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)

    def addresses(rows):
        own = {
            name: value.data_ptr() for name, value in vars(rows).items() if isinstance(value, torch.Tensor)
        }
        assert rows.cache.positions.data_ptr() == own["position"]
        return own | {"at": rows.cache.at.data_ptr()}, [
            part.data_ptr() for pair in rows.cache.layers for part in pair
        ]

    with borrowed(reasoner.model):
        rows = steps.Rows(reasoner, [[5, 6], [7]], uniforms([0, 1], 50), [0, 0], SAMPLED, 64, graphs=False)
        first = rows.advance(1)
        before = addresses(rows)
        later = rows.advance(5)
        assert addresses(rows) == before
    assert (len(first), len(later)) == (1, 5)
