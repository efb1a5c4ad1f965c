"""Only the inference thread computes with helpers."""

import threading

import torch

from core.inference.threads import compute_alone, compute_with, lonely_pool, most_threads


def test_a_pool_stays_alone_whatever_another_thread_takes() -> None:
    before = torch.get_num_threads()
    try:
        pool = lonely_pool(2, "lonely")
        seen: list[int] = []

        def other() -> None:
            compute_with(3)
            seen.append(torch.get_num_threads())

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        together = threading.Barrier(2)

        def count() -> int:
            together.wait(30)
            return torch.get_num_threads()

        with pool:
            assert [future.result() for future in [pool.submit(count) for _ in range(2)]] == [1, 1]
        assert seen == [3]
    finally:
        compute_with(before)


def test_what_torch_would_take_is_remembered() -> None:
    before = torch.get_num_threads()
    try:
        compute_alone()
        assert torch.get_num_threads() == 1
        assert most_threads() >= 1
    finally:
        compute_with(before)
