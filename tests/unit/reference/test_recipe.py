"""The recipe: packing, labels, positions, and a training of three steps that leaves a usable folder."""

from __future__ import annotations

import itertools
import json
import logging

import pytest

from fixtures.embedded_texts import PROMPTS, REASONER
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.provenance import file_hash
from unfaithful_cot.reference import recipe
from unfaithful_cot.reference.recipe import IGNORED, ROW_TOKENS, batches, make_reference_reasoner, pack
from unfaithful_cot.reference.texts import Text

N_TEXTS = 160  # enough for a tokenizer of 2,560


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(REASONER)


def ids_of(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def test_packing_keeps_every_text_whole_and_once(texts: list[Text], tokenizer) -> None:
    some = texts[:300]
    rows, n_tokens = pack(some, tokenizer, seed=0)
    packed = sorted(tokenizer.decode(ids) for row in rows for ids, _ in row)
    assert packed == sorted(text.prompt + text.completion for text in some)
    assert n_tokens == sum(len(ids) for row in rows for ids, _ in row)
    sizes = [sum(len(ids) for ids, _ in row) for row in rows]
    assert max(sizes) <= ROW_TOKENS
    # best fit: no two rows could have been one
    assert len(rows) == 1 or sum(sorted(sizes)[:2]) > ROW_TOKENS


def test_rows_come_in_the_order_of_the_seed(texts: list[Text], tokenizer) -> None:
    first, again, other = (pack(texts[:60], tokenizer, seed)[0] for seed in (0, 0, 1))
    assert first == again != other
    assert sorted(map(str, first)) == sorted(map(str, other))


def test_labels_are_the_completion_and_nothing_of_the_prompt(texts: list[Text], tokenizer) -> None:
    chat = next(text for text in texts if text.prompt)
    document = next(text for text in texts if not text.prompt)
    for text in (chat, document):
        (((ids, labels),),), n_tokens = pack([text], tokenizer, seed=0)
        n_prompt = len(ids_of(tokenizer, text.prompt))
        assert (n_prompt == 0) == (text is document)
        assert labels[:n_prompt] == [IGNORED] * n_prompt
        assert labels[n_prompt:] == ids[n_prompt:] == ids_of(tokenizer, text.completion)
        assert labels[-1] == tokenizer.eos_token_id
        assert n_tokens == len(ids) == len(labels)


def test_a_text_longer_than_a_row_is_refused(tokenizer, monkeypatch) -> None:
    monkeypatch.setattr(recipe, "ROW_TOKENS", 3)
    with pytest.raises(ValueError, match="a text has 4 tokens, a row 3"):
        pack([Text("", "1234")], tokenizer, 0)


def test_batches_by_hand() -> None:
    rows = [[([5, 6, 7], [IGNORED, 6, 7]), ([8, 9], [8, 9])], [([4], [4])]]
    ids, labels, positions = next(batches(rows, batch_rows=3, pad=0))
    assert ids.shape == labels.shape == positions.shape == (3, ROW_TOKENS)
    assert ids[0, :6].tolist() == [5, 6, 7, 8, 9, 0]
    # the first token of a text has nothing before it that may predict it: 8 is ignored, too
    assert labels[0, :6].tolist() == [IGNORED, 6, 7, IGNORED, 9, IGNORED]
    # positions restart with each text; the padding counts as one more
    assert positions[0, :8].tolist() == [0, 1, 2, 0, 1, 0, 1, 2]
    assert ids[1, :2].tolist() == [4, 0]
    # after the last row comes the first again
    assert ids[2].tolist() == ids[0].tolist()


def test_batches_go_through_all_rows() -> None:
    rows = [[([number], [number])] for number in range(1, 6)]
    firsts = [batch[0][:, 0].tolist() for batch in itertools.islice(batches(rows, 2, pad=0), 5)]
    assert firsts == [[1, 2], [3, 4], [5, 1], [2, 3], [4, 5]]


def test_no_text_of_a_row_sees_another(texts: list[Text], tokenizer) -> None:
    # logits of a packed text are those of the text alone: attention stops where positions restart
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(REASONER, dtype=torch.float32).eval()
    rows, _ = pack(texts[:40], tokenizer, seed=0)
    row = next(row for row in rows if len(row) >= 2)
    ids, _, positions = next(batches([row], batch_rows=1, pad=tokenizer.pad_token_id))
    with torch.no_grad():
        packed = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0]
        mixed = model(input_ids=ids, use_cache=False).logits[0]
        start = 0
        for number, (text, _) in enumerate(row):
            alone = model(input_ids=torch.tensor([text]), use_cache=False).logits[0]
            assert torch.allclose(packed[start : start + len(text)], alone, atol=1e-3)
            # the comparison can fail: without positions the later texts see the earlier ones
            assert number == 0 or not torch.allclose(mixed[start : start + len(text)], alone, atol=1e-1)
            start += len(text)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """{name: folder} of three trainings of three steps; two have the same seed."""
    home = tmp_path_factory.mktemp("recipe")
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        (home / name).mkdir()
        (home / name / "left_over.txt").write_text("from a run before")
        make_reference_reasoner(
            prompts=[str(path) for path in PROMPTS],
            chat_template=str(REASONER / "chat_template.jinja"),
            folder=str(home / name),
            seed=seed,
            n_texts=N_TEXTS,
            steps=3,
            batch_rows=1,
        )
    return {folder.name: folder for folder in home.iterdir()}


def test_a_run_replaces_the_folder_whole(trained) -> None:
    assert set(trained) == {"first", "again", "other"}  # nothing partial is left
    for folder in trained.values():
        assert {path.name for path in folder.iterdir()} == {
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "recipe.json",
            "tokenizer.json",
            "tokenizer_config.json",
        }
        assert (folder / "chat_template.jinja").read_text() == (REASONER / "chat_template.jinja").read_text()


def test_the_folder_has_the_shape_of_the_committed_one(trained) -> None:
    # apart from the version that wrote it
    new, committed = (
        json.loads((folder / "config.json").read_text()) for folder in (trained["first"], REASONER)
    )
    assert new | {"transformers_version": ""} == committed | {"transformers_version": ""}


def test_the_figures_of_a_run(trained) -> None:
    figures = json.loads((trained["first"] / "recipe.json").read_text())
    assert {key: figures[key] for key in ("seed", "texts", "steps", "batch_rows", "row_tokens")} == {
        "seed": 0, "texts": N_TEXTS, "steps": 3, "batch_rows": 1, "row_tokens": 576,
    }  # fmt: skip
    assert [step for step, _ in figures["loss"]] == [1, 2, 3]
    # ln 2560 = 7.85 where nothing is known
    assert figures["loss"][0][1] == pytest.approx(7.85, abs=0.5)
    assert figures["loss"][2][1] < figures["loss"][0][1]
    assert 0 < figures["tokens"] <= figures["rows"] * 576
    assert figures["duration_s"] > 0 and "torch" in figures["versions"]


def test_one_seed_gives_one_reasoner(trained) -> None:
    weights = {name: file_hash(folder / "model.safetensors") for name, folder in trained.items()}
    assert weights["first"] == weights["again"] != weights["other"]
    assert file_hash(trained["first"] / "tokenizer.json") == file_hash(trained["again"] / "tokenizer.json")


def test_the_folder_loads_and_generates(trained) -> None:
    from unfaithful_cot.models.load import load_reasoner

    loading = LoadingSettings(dtype="float32", device="cpu")
    reasoner = load_reasoner({"source": str(trained["first"]), "revision": None}, loading)
    asked = reasoner.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Which one?"}], add_generation_prompt=True, return_tensors="pt"
    )
    n_prompt = asked["input_ids"].shape[1]
    found = reasoner.model.generate(**asked, max_new_tokens=5, min_new_tokens=5, do_sample=False)
    assert found.shape == (1, n_prompt + 5)
    assert reasoner.tokenizer.decode(found[0, n_prompt:])


def test_without_a_gpu_it_says_that_hours_are_ahead(trained, caplog, monkeypatch) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    model = AutoModelForCausalLM.from_pretrained(trained["first"], dtype=torch.float32)
    with caplog.at_level(logging.WARNING):
        recipe._train(model, [[([4, 5], [4, 5])]], steps=1, batch_rows=1, learning_rate=1e-3, seed=0)
    assert "no GPU: 1 steps take hours here" in caplog.text
