"""From a request to the words of its answer, behind the `Engine` port (`port.py`).

`create.py` chooses the engine. In the in-process one (`engine.py`) a request (`flight.py`) is rendered to a prompt
(`render.py`: `neutralise.py`, chat template, `processor.py`), stepped token by token (`stepper.py`, `sampling.py`):
with all others in one pass where its family (`families.py`) allows (`batch.py`: `row.py`, `ragged.py`, `slots.py`,
`pictures.py`, `patches.py`, `prefixes.py`). Ids are turned into text (`answer.py`: `detokenise.py`, `thinking.py`) and
handed to whoever asked (`stream.py`). `loader.py` brings the model: `selection.py` (`presets.py`, `machine.py`,
`source.py`, `hub.py`, `pins.py`), `hardware.py` (`cgroup.py`), `placement.py`, `quantise.py` (`libraries.py`),
`vocabulary.py`; `memory.py` says how much room there is beside it (`footprint.py`), and `warm_up.py` what is asked
first. On a CPU `packed.py` and `products.py` make it faster. A model that reads text only can have a second one look at
pictures for it (`eyes/`, `sharing.py`). `openai_backend/` hands requests to a server instead, and `scripted.py` is an
engine without a model, for tests; both run in a `request_loop.py`.
"""

import os

# The hub's client, which transformers loads, tells the hub of this machine with every request unless it is told not
# to. It looks when it is imported, so this has to come first.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
