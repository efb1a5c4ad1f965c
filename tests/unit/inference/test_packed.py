"""Linear layers whose weights are packed."""

import weakref

import pytest
import torch
from torch import nn

from core.inference.packed import PackedLinear, pack_linears, packing_pays


class Tied(nn.Module):
    """One layer under two names, and a weight that another module needs as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(64, 32)
        self.head = nn.Linear(32, 64, bias=False)
        self.head.weight = self.embed.weight
        self.one = nn.Linear(32, 32)
        self.other = self.one


class Watched(nn.ModuleList):
    """Notes how many layers have their own weights whenever one of them was replaced."""

    def watch(self) -> None:
        self.weights = [weakref.ref(layer.weight) for layer in self]
        self.left: list[int] = []

    def set_submodule(self, target: str, module: nn.Module, strict: bool = False) -> None:
        super().set_submodule(target, module, strict)
        self.left.append(sum(weight() is not None for weight in self.weights))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_the_product_is_the_layers(dtype: torch.dtype, bias: bool) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(48, 80, bias=bias, dtype=dtype)
    packed = PackedLinear(linear)
    for shape in ((48,), (1, 48), (3, 7, 48), (2, 300, 48)):
        x = torch.randn(*shape, dtype=dtype)
        assert packed(x).shape == (*shape[:-1], 80)
        assert torch.allclose(packed(x).float(), linear(x).float(), atol=1e-5 if dtype == torch.float32 else 2e-2)
    assert packed(torch.randn(48, 3, dtype=dtype).t()).shape == (3, 80)


@torch.inference_mode()
def test_a_model_computes_the_same_with_what_it_shared_still_shared() -> None:
    torch.manual_seed(0)
    model = Tied()
    x = torch.randn(5, 32)
    before = model.head(model.one(x))
    assert pack_linears(model, pays=lambda weight: True) == 2
    assert isinstance(model.one, PackedLinear)
    assert model.one is model.other
    assert isinstance(model.embed.weight, nn.Parameter)
    assert torch.allclose(model.head(model.one(x)), before, atol=1e-5)


def test_there_are_never_all_weights_twice() -> None:
    model = Watched(nn.Linear(16, 16) for _ in range(4))
    model.watch()
    assert pack_linears(model, pays=lambda weight: True) == 4
    assert model.left == [3, 2, 1, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_whoever_looks_at_the_weights_of_a_layer_sees_them(dtype: torch.dtype) -> None:
    linear = nn.Linear(48, 80, dtype=dtype)
    packed = PackedLinear(linear)
    assert packed.weight.dtype == dtype
    assert torch.equal(packed.weight, linear.weight)


def test_where_it_does_not_pay_all_stays() -> None:
    model = Tied()
    asked: list[torch.Size] = []

    def never(weight: torch.Tensor) -> bool:
        asked.append(weight.shape)
        return False

    assert pack_linears(model, pays=never) == 0
    # The kind of layer with the most weight decides for all.
    assert asked == [torch.Size([64, 32])]
    assert type(model.one) is nn.Linear


def test_whether_it_pays_is_measured() -> None:
    assert isinstance(packing_pays(nn.Linear(64, 64).weight), bool)


def test_what_cannot_be_packed_is_left() -> None:
    half = nn.Linear(8, 8, dtype=torch.float16)
    assert not packing_pays(half.weight)
    quantised = type("Linear8bit", (nn.Linear,), {})(8, 8)
    model = nn.ModuleList([half, quantised, nn.LayerNorm(8)])
    assert pack_linears(model) == 0
    assert model[0] is half
    assert model[1] is quantised
