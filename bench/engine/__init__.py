"""`glimt bench engine`: the engine against `generate` and against other engines, on the same checkpoint.

Every side is a process of its own that loads once and computes a round when it is told to; only one computes at a time.
What runs in the environments of other engines (`sides/vllm_cpu.py`, `sides/openvino.py` and what they import) takes
nothing but the standard library, Pillow and Jinja2.
"""
