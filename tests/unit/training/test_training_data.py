from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.errors import DataError
from unfaithful_cot.models.attention import training_attention
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.training.data import IGNORED, RowCollator, pack, split, supervised_tokens, tokenise
from unfaithful_cot.training.filling import filled, order
from unfaithful_cot.training.loss import batch_loss, token_loss

FLOAT = LoadingSettings(dtype="float32", device="cpu")
TEXTS = [
    "the board keeps a public record",
    "cites the release while the confidential memo decides the case. " * 4,
    "a",
    "Option A. Option B. " * 6,
]


@pytest.mark.parametrize("family", FAMILIES)
def test_each_document_ends_with_exactly_one_end_token(tiny, family):
    tokenizer = load_reasoner({"source": str(tiny[family])}, FLOAT).tokenizer
    closed_already = TEXTS[0] + tokenizer.eos_token
    for ids, text in zip(tokenise(tokenizer, [*TEXTS, closed_already]), [*TEXTS, TEXTS[0]], strict=True):
        assert ids.count(tokenizer.eos_token_id) == 1
        assert ids[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_later_fragments_repeat_the_last_token_as_context():
    # rows of 4: tokens 1 2 3 4, then 4 (context only) 5 6 7, then 7 (context only) 8
    assert split([1, 2, 3, 4, 5, 6, 7, 8], 4) == [[1, 2, 3, 4], [4, 5, 6, 7], [7, 8]]
    assert split([1, 2, 3, 4], 4) == [[1, 2, 3, 4]]
    assert split([1, 2, 3, 4, 5], 4) == [[1, 2, 3, 4], [4, 5]]
    assert split([1], 4) == [[1]]


def test_a_batch_by_hand():
    rows = [
        {"input_ids": [11, 12, 13, 21, 22], "seq_lengths": [3, 2]},
        {"input_ids": [31, 32], "seq_lengths": [2]},
    ]
    batch = RowCollator(pad_token_id=9)(rows)
    assert batch["input_ids"].tolist() == [[11, 12, 13, 21, 22], [31, 32, 9, 9, 9]]
    # positions restart with each document, and each padding token is a document of its own
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1], [0, 1, 0, 0, 0]]
    # nothing predicts the first token of a document
    assert batch["labels"].tolist() == [[-100, 12, 13, -100, 22], [-100, 32, -100, -100, -100]]
    assert set(batch) == {"input_ids", "position_ids", "labels"}


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 70), min_size=1, max_size=30), max_length=st.integers(2, 32))
def test_every_token_is_trained_on_exactly_once_an_epoch(lengths, max_length):
    if max(lengths) < 2:
        lengths = [*lengths, 2]
    # token = 100 x document + place, so that each (document, place) can be counted
    documents = [[100 * number + place for place in range(length)] for number, length in enumerate(lengths)]
    rows = pack(documents, max_length)
    assert max(map(len, rows["input_ids"])) <= max_length
    batch = RowCollator(pad_token_id=0)(list(rows))
    trained = Counter(token for token in batch["labels"].flatten().tolist() if token != IGNORED)
    wanted = Counter(token for document in documents for token in document[1:])
    assert trained == wanted
    assert supervised_tokens(rows) == sum(wanted.values())


def test_the_label_of_a_token_is_predicted_from_the_tokens_before_it_in_its_document():
    document = list(range(10, 30))
    batch = RowCollator(pad_token_id=0)(list(pack([document], 8)))
    for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        for place, label in enumerate(labels):
            assert label == IGNORED or ids[place - 1] == label - 1


@pytest.mark.parametrize("kernel", ["sdpa", "eager", "varlen"])
@pytest.mark.parametrize("family", FAMILIES)
def test_packed_documents_do_not_see_each_other(tiny, family, kernel):
    reasoner = load_reasoner({"source": str(tiny[family])}, FLOAT)
    reasoner.model.set_attn_implementation(training_attention(kernel, "cpu", "float32"))
    documents = tokenise(reasoner.tokenizer, TEXTS)
    rows = list(pack(documents, 96))
    batch = RowCollator(reasoner.tokenizer.pad_token_id, lengths=kernel == "varlen")(rows)
    del batch["labels"]
    assert max(len(row["seq_lengths"]) for row in rows) > 1
    with torch.inference_mode():
        packed = reasoner.model(**batch, use_cache=False).logits
        reasoner.model.set_attn_implementation("sdpa")
        wrong = reasoner.model(
            input_ids=batch["input_ids"], attention_mask=torch.ones_like(batch["input_ids"]), use_cache=False
        ).logits
    worst_right, worst_wrong = 0.0, 0.0
    for index, row in enumerate(rows):
        start = 0
        for length in row["seq_lengths"]:
            piece = slice(start, start + length)
            with torch.inference_mode():
                alone = reasoner.model(input_ids=batch["input_ids"][index : index + 1, piece]).logits[0]
            worst_right = max(worst_right, (packed[index, piece] - alone).abs().max().item())
            worst_wrong = max(worst_wrong, (wrong[index, piece] - alone).abs().max().item())
            start += length
    assert worst_right < 1e-4
    # the same comparison with the documents left in sight of each other: the test can fail
    assert worst_wrong > 0.1


@pytest.mark.parametrize("kernel", ["sdpa", "varlen"])
def test_the_loss_a_token_is_that_of_padded_documents(tiny, kernel):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    documents = tokenise(reasoner.tokenizer, TEXTS)
    total, count = 0.0, 0
    for document in documents:  # one document a step, padded to 128 and masked
        padding = 128 - len(document)
        ids = torch.tensor([document + [0] * padding])
        labels = torch.tensor([document + [IGNORED] * padding])
        mask = torch.tensor([[1] * len(document) + [0] * padding])
        with torch.inference_mode():
            logits = reasoner.model(input_ids=ids, attention_mask=mask).logits
            total += token_loss(logits, labels, 1).item()
        count += len(document) - 1
    rows = pack(documents, 128)
    assert supervised_tokens(rows) == count
    reasoner.model.set_attn_implementation(training_attention(kernel, "cpu", "float32"))
    batch = RowCollator(reasoner.tokenizer.pad_token_id, 192, kernel == "varlen")(list(rows))
    with torch.inference_mode():
        packed = batch_loss(reasoner.model, batch, count)
    assert packed.item() == pytest.approx(total / count, abs=1e-3)


def test_what_a_kernel_of_variable_length_reads_by_hand():
    rows = [
        {"input_ids": [11, 12, 13, 21, 22], "seq_lengths": [3, 2]},
        {"input_ids": [31, 32], "seq_lengths": [2]},
    ]
    batch = RowCollator(pad_token_id=9, row_tokens=6, lengths=True)(rows)
    assert batch["input_ids"].tolist() == [[11, 12, 13, 21, 22, 9], [31, 32, 9, 9, 9, 9]]
    # documents of 3 and 2 and a padding of 1; a document of 2 and a padding of 4
    assert batch["cu_seq_lens_q"].tolist() == [0, 3, 5, 6, 8, 12] == batch["cu_seq_lens_k"].tolist()
    assert batch["cu_seq_lens_q"].dtype == torch.int32
    assert (batch["max_length_q"], batch["max_length_k"]) == (6, 6)
    full = RowCollator(pad_token_id=9, lengths=True)(rows[:1])
    assert full["cu_seq_lens_q"].tolist() == [0, 3, 5]


def test_the_last_step_is_filled_with_rows_without_labels():
    rows = pack([list(range(10, 20)) for _ in range(5)], 10)
    assert filled(rows, 5, 7) is rows
    more = filled(rows, 4, 7)
    assert (len(rows), len(more)) == (5, 8)
    batch = RowCollator(pad_token_id=7)(list(more))
    assert (batch["labels"] != IGNORED).sum() == supervised_tokens(rows) == supervised_tokens(more)


def test_the_order_of_the_rows_is_that_of_one_process():
    from accelerate.data_loader import SeedableRandomSampler

    alone, shared = SeedableRandomSampler(range(5), data_seed=3), order(5, 8, 3)
    for epoch in range(2):
        alone.set_epoch(epoch)
        shared.set_epoch(epoch)
        assert list(shared) == [*alone, 5, 6, 7]
    assert len(shared) == 8


def test_a_training_set_without_a_token_to_learn():
    with pytest.raises(DataError, match="there is no token to learn"):
        pack([[5], [5]], 8)
