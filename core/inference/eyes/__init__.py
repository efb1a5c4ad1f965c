"""A mind that reads text only sees through eyes: a second model, which looks at the pictures for it.

`engine.py` composes the two behind the `Engine` port, whatever engines they are (`sight.py`: whether they see). What a
request with pictures needs is planned (`plan.py`: which pictures to look at, with which question in view), looked at
(`look.py`, in the words of `wording.py`, remembered by `memory.py`), told to the mind in words (`blocks.py`) and
streamed (`answering.py`). Nothing here loads torch.
"""
