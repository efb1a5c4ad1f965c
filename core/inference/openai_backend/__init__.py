"""The `Engine` port in front of a server that speaks the OpenAI API: vLLM, SGLang, llama.cpp, a vendor's.

`engine.py` has a request through `gate.py` (how many at once), sends what `payload.py` makes of it (`words.py`,
`fields.py`) and has `reader.py` turn the streamed chunks into events. What the server answers instead of an answer is
understood in `refusal.py`. `server.py` asks what it serves, `estimate.py` counts tokens without a tokenizer, and
`client.py` is the HTTP client. No torch comes with any of it.
"""
