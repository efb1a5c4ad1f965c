"""Attention as products against torch's own, in float32, where both must agree closely."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from core.inference import products

SCALE = 0.2


@pytest.mark.parametrize("rows", [1, 8, 33])
def test_rows_see_what_their_mask_lets_them(rows: int) -> None:
    torch.manual_seed(0)
    slots = torch.randn(2, rows, 2, 96, 16)
    keys, values = slots[0, :, :, :40], slots[1, :, :, :40]
    asked = torch.randn(rows, 2, 3, 16)
    lengths = torch.randint(1, 41, (rows, 1))
    seen = torch.zeros(rows, 40).masked_fill(torch.arange(40)[None] >= lengths, float("-inf"))[:, None, None]
    made = products.attend_rows(asked, keys, values, seen, SCALE)
    expected = F.scaled_dot_product_attention(asked, keys, values, attn_mask=seen, scale=SCALE)
    assert torch.allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize("past", [0, 70])
@pytest.mark.parametrize("tokens", [1, 50])
@pytest.mark.parametrize("scores", [products.SCORES, 6 * 120 * 16])
def test_a_chunk_sees_itself_and_what_stands_before(past: int, tokens: int, scores: int) -> None:
    torch.manual_seed(0)
    query, slots = torch.randn(6, tokens, 16), torch.randn(2, 2, 160, 16)
    keys, values = slots[0, :, : past + tokens], slots[1, :, : past + tokens]
    mask = torch.ones(tokens, past + tokens, dtype=torch.bool).tril(past)
    expected = F.scaled_dot_product_attention(
        query[None], keys[None], values[None], attn_mask=mask, scale=SCALE, enable_gqa=True
    )
    made = products.attend_chunk(query, keys, values, past, SCALE, scores)
    assert torch.allclose(made, expected.transpose(1, 2), atol=1e-5)


@pytest.mark.parametrize("scores", [products.SCORES, 200 * 150 * 2, 150 * 16])
def test_towers_get_what_torch_computes(scores: int) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(2, 5, 200, 16), torch.randn(2, 5, 150, 16), torch.randn(2, 5, 150, 16)
    expected = F.scaled_dot_product_attention(query, key, value, scale=SCALE).transpose(1, 2)
    made = products.attend_all(query, key, value, SCALE, scores)
    assert made.shape == expected.shape
    assert torch.allclose(made, expected, atol=1e-5)


def test_transformers_calls_it_for_towers() -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 2, 140, 8)
    made, weights = products.products_attention(nn.Module(), query, query, query, None, SCALE, is_causal=False)
    assert weights is None
    assert torch.equal(made, products.attend_all(query, query, query, SCALE))


def test_masked_and_small_attention_stays_with_torch() -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 2, 140, 8)
    mask = torch.ones(1, 1, 140, 140, dtype=torch.bool).tril()
    expected = F.scaled_dot_product_attention(query, query, query, attn_mask=mask, scale=SCALE).transpose(1, 2)
    made, _ = products.products_attention(nn.Module(), query, query, query, mask, SCALE, is_causal=False)
    assert torch.allclose(made, expected, atol=1e-5)
    few = query[:, :, :9]
    small, _ = products.products_attention(nn.Module(), few, few, few, None, SCALE, is_causal=False)
    expected = F.scaled_dot_product_attention(few, few, few, scale=SCALE).transpose(1, 2)
    assert torch.allclose(small, expected, atol=1e-5)


@pytest.mark.parametrize("said", [None, True, False])
@pytest.mark.parametrize("own", [None, True, False])
def test_the_order_of_tokens_counts_where_it_does_for_torch(said: bool | None, own: bool | None) -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 2, 140, 8)
    module = type("Attention", (nn.Module,), {} if own is None else {"is_causal": own})()
    made, _ = products.products_attention(module, query, query, query, None, SCALE, is_causal=said)
    expected, _ = sdpa_attention_forward(module, query, query, query, None, scaling=SCALE, is_causal=said)
    assert torch.allclose(made, expected, atol=1e-5)


def test_only_half_precision_on_a_cpu_gains() -> None:
    cpu = torch.device("cpu")
    assert products.worthwhile(torch.bfloat16, cpu)
    assert not products.worthwhile(torch.float32, cpu)
    assert not products.worthwhile(torch.bfloat16, torch.device("cuda"))
