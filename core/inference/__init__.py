"""From a request to the words of its answer, behind the `Engine` port (`port.py`).

`create.py` chooses the engine. In the in-process one (`engine.py`) a request (`flight.py`) is rendered to a prompt
(`render.py`: `neutralise.py`, chat template, `processor.py`), stepped token by token (`stepper.py`, `sampling.py`):
with all others in one pass where its family (`families.py`) allows (`batch.py`: `row.py`, `ragged.py`, `slots.py`,
`pictures.py`, `patches.py`, `prefixes.py`). Ids are turned into text (`answer.py`: `detokenise.py`, `thinking.py`) and
handed to whoever asked (`stream.py`). `loader.py` brings the model: `source.py`, `hardware.py`, `vocabulary.py`;
`memory.py` says how much room there is beside it. A model that reads text only can have a second one look at pictures
for it (`eyes/`, `sharing.py`). `scripted.py` is an engine without a model, for tests.
"""
