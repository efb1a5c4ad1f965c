import os

import pytest
import torch

from core.errors import ConfigurationError
from core.inference.hardware import (
    SMALL_MODEL_BYTES,
    allowed_cores,
    choose_devices,
    choose_dtype,
    choose_threads,
    free_cores,
    read_machine,
)
from core.inference.threads import most_threads

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    (device, *others) = choose_devices("auto", 1)
    assert device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert others == []
    assert choose_devices("cpu", 2**60) == (CPU,)


@pytest.mark.parametrize("name", ["cuda:77", "quantum", "gpu", "cuda:77,cuda:78", "cpu,cpu", "cpu,meta"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"GLIMT_DEVICE='{name.split(',')[0]}"):
        choose_devices(name, 1)


def test_the_machine_is_this_one() -> None:
    machine = read_machine("cpu", "auto")
    assert machine.gpus == ()
    assert machine.cores == allowed_cores() <= len(os.sched_getaffinity(0))
    assert 0 < machine.free <= machine.total
    assert read_machine("cpu", "float32").number_bytes == 4


def test_dtypes() -> None:
    assert choose_dtype("auto", CPU, 10) == torch.float32
    assert choose_dtype("bfloat16", CPU, 10) == torch.bfloat16
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert choose_dtype("auto", CPU, SMALL_MODEL_BYTES) == (torch.bfloat16 if native else torch.float32)


def test_threads_are_cores_that_are_there() -> None:
    assert 1 <= free_cores(0.01) <= len(os.sched_getaffinity(0))
    assert choose_threads(CPU, 10) == 1
    assert 1 <= choose_threads(CPU, SMALL_MODEL_BYTES) <= most_threads() <= len(os.sched_getaffinity(0))
