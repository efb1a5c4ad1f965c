"""Which threads compute with how many more.

OpenMP gives every thread that computes a team of its own and lets idle teams wait awake only while all of them together
are no more than the cores there are. With a second team, even one that has nothing to do, each operation has to wake
its team from sleep: *measured*, a step took 1.3 times as long. So the inference thread alone has a team.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

# What torch would take, before anything here said otherwise.
_MOST = torch.get_num_threads()


def most_threads() -> int:
    """Threads that torch takes by itself: the cores, or `OMP_NUM_THREADS`."""
    return _MOST


def compute_alone() -> None:
    """The calling thread, and those that begin to compute after it, do it without helpers."""
    compute_with(1)


def compute_with(threads: int) -> None:
    """The calling thread computes with `threads` threads, itself among them."""
    # A thread takes over what was set last when it first asks; only what is set after that is its own.
    torch.get_num_threads()
    torch.set_num_threads(threads)


def lonely_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """A pool whose threads compute without helpers. They have begun when this returns: a thread learns how many it may
    take when it first computes, and by then another may have said `compute_with`."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=compute_alone)
    together = threading.Barrier(threads)
    for begun in [pool.submit(together.wait) for _ in range(threads)]:
        begun.result()
    return pool
