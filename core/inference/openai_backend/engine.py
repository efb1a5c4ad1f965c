"""The engine whose model runs elsewhere."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import structlog

from core.errors import BackendUnavailable, ConfigurationError, GlimtError, PromptMiscounted
from core.inference.openai_backend.client import make_client
from core.inference.openai_backend.estimate import TokenEstimate
from core.inference.openai_backend.exchange import Exchange
from core.inference.openai_backend.fields import FieldMemory
from core.inference.openai_backend.gate import Gate
from core.inference.openai_backend.payload import chat_fields, chat_messages
from core.inference.openai_backend.refusal import Again, NoSuchModel, Refusal, Refused
from core.inference.openai_backend.retries import Retries, Waits
from core.inference.openai_backend.server import Served, ask_context, choose_model, describe, list_models
from core.inference.port import EngineStats, Events, Finished, Message, Request, Sampling, Started
from core.inference.request_loop import RequestLoop, RequestRun
from core.settings import Settings
from core.values import new_id

log = structlog.get_logger(__name__)

# What is assumed where neither the server nor GLIMT_CONTEXT_TOKENS tells.
CONTEXT_TOKENS = 8192
# Enough for a server that has the model loaded to say one word.
TRY_S = 60.0


class OpenAIEngine:
    """Hands requests to a server. The `Engine` port says what it promises; tokens are estimated, until counted.

    Of a request's time half, and a minute at most, may go by before the server begins to answer: until then it is
    asked again whatever is in the way. An answer that broke off is never taken for one.
    """

    def __init__(self, settings: Settings, waits: Waits | None = None) -> None:
        self._settings = settings
        self._key = settings.backend_key.get_secret_value()
        self._waits = waits or Waits()
        self._client = make_client(settings.backend_url, self._key, self._waits.silence_s)
        # For sentences: without a path, which some proxies take for a secret.
        self._address = urlsplit(settings.backend_url).netloc
        self._estimate = TokenEstimate()
        self._fields = FieldMemory()
        self._gate = Gate(settings.backend_parallel)
        self._stats = EngineStats()
        self._served = Served(settings.model, "", None)
        self._context = settings.context_tokens or CONTEXT_TOKENS
        self._requests = RequestLoop(self._play, "openai-backend")

    @classmethod
    def connect(cls, settings: Settings, patience_s: float = 0.0, waits: Waits | None = None) -> "OpenAIEngine":
        """An engine in front of `GLIMT_BACKEND_URL`. Blocks, up to `patience_s` seconds for a server that is not up.

        Raises:
            ConfigurationError: the server does not accept the key, or does not serve the model.
            BackendUnavailable: it is not up.
            InferenceError: it lists no such model and could not be tried out.
        """
        engine = cls(settings, waits)
        try:
            engine._requests.wait_for(engine._introduce(patience_s))
        except BaseException:
            engine.close()
            raise
        return engine

    @property
    def model_name(self) -> str:
        return self._served.name

    @property
    def context_tokens(self) -> int:
        return self._context

    def count_tokens(self, message: Message) -> int:
        return self._estimate(message)

    def submit(self, request: Request) -> Events:
        return self._requests.submit(request)

    def cancel(self, request_id: str) -> bool:
        return self._requests.cancel(request_id)

    def stats(self) -> EngineStats:
        """Of answers that came to their end; what the server keeps is its own. Here requests wait at the gate."""
        return replace(self._stats, waiting=self._gate.waiting, running=self._gate.inside)

    def close(self) -> None:
        self._requests.close(self._client.close)

    def try_out(self) -> str:
        """Have the server answer one token; what can be said of it then. Errors as `submit` raises them."""
        self._requests.wait_for(self._try_out())
        return f"'{self.model_name}' at {self._address} answers; {self._context} tokens of context"

    async def _introduce(self, patience_s: float) -> None:
        """Learn what the server serves."""
        listed = await self._list_patiently(patience_s)
        self._served = choose_model(self._settings.model, listed, self._address)
        said = await ask_context(self._client, self._served)
        limits = [limit for limit in (said, self._settings.context_tokens) if limit]
        self._context = min(limits, default=CONTEXT_TOKENS)
        if not limits:
            log.warning("context_unknown", assumed=CONTEXT_TOKENS, set="GLIMT_CONTEXT_TOKENS")
        if self._served not in (listed or ()):
            # Some vendors list less than they serve. Better to know now than from each question.
            await self._try_out()
        log.info("backend_ready", address=self._address, model=self.model_name, context_tokens=self._context)

    async def _list_patiently(self, patience_s: float) -> list[Served] | None:
        retries = Retries(self._waits, patience_s)
        while True:
            try:
                return await list_models(self._client, self._address, self._key)
            except BackendUnavailable as error:
                if (wait := retries.wait()) is None:
                    raise
                log.warning("backend_not_ready", detail=str(error), again_in_s=round(wait, 1))
                await asyncio.sleep(wait)

    async def _try_out(self) -> None:
        request = Request(new_id(), (Message("user", "Hello"),), Sampling(max_new_tokens=1), deadline_s=TRY_S)
        async for _ in self.submit(request):
            pass

    async def _play(self, run: RequestRun) -> None:
        """One request, from the gate to its end."""
        request = run.request
        tokens, pictures = self._estimate.prompt(request.messages)
        guess = Started(tokens, pictures)
        room = self._context - tokens
        # Where the estimate leaves no room the server may still find some.
        fields = chat_fields(request, room if room > 0 else request.sampling.max_new_tokens, self._served.owner)
        exchange = Exchange(
            self._client,
            self._key,
            run,
            self._served.name,
            chat_messages(request),
            self._fields.trial(fields),
            guess,
        )
        retries = Retries(self._waits, min(self._waits.patience_s, request.deadline_s / 2))
        while True:
            try:
                finished = await self._attempt(exchange, request)
                break
            except Again as again:
                wait = None if exchange.said else retries.wait(again.after_s, broke=again.broke)
                if wait is None:
                    raise BackendUnavailable(f"the backend at {self._address}: {again}") from None
                log.info("backend_asked_again", request=request.id, detail=str(again), again_in_s=round(wait, 1))
            await asyncio.sleep(wait)
        told = finished.recount or guess
        if finished.recount is not None:
            self._estimate.learn(request.messages, told.prompt_tokens)
        self._note(told, finished.completion_tokens)

    def _note(self, started: Started, completion_tokens: int) -> None:
        was = self._stats
        self._stats = replace(
            was,
            prompt_tokens=was.prompt_tokens + started.prompt_tokens,
            cached_tokens=was.cached_tokens + started.cached_tokens,
            completion_tokens=was.completion_tokens + completion_tokens,
        )

    async def _attempt(self, exchange: Exchange, request: Request) -> Finished:
        async with self._gate.place() as place:
            try:
                finished = await exchange.attempt()
            except Again as again:
                if again.overloaded:
                    self._gate.narrow(place)
                raise
            except Refused as refused:
                meaning = await self._meaning(refused.refusal, request)
                if isinstance(meaning, Again) and meaning.overloaded:
                    self._gate.narrow(place)
                raise meaning from None
            self._gate.widen()
            return finished

    async def _meaning(self, refusal: Refusal, request: Request) -> GlimtError | Again:
        if refusal.too_long:
            return self._learn_length(refusal, request)
        meaning = refusal.meaning(self._address)
        if isinstance(meaning, NoSuchModel):
            try:
                there = describe(await list_models(self._client, self._address, self._key))
            except GlimtError as error:
                there = str(error)
            return ConfigurationError(
                f"The backend at {self._address} does not serve '{self.model_name}' ({meaning}). "
                f"Set GLIMT_MODEL. {there}"
            )
        return meaning

    def _learn_length(self, refusal: Refusal, request: Request) -> PromptMiscounted:
        """The prompt was believed to fit: believe less, so that a next attempt makes a shorter one."""
        said, tokens = refusal.context_tokens, self._estimate.prompt(request.messages)[0]
        smaller = said is not None and 0 < said < self._context
        if said is not None and smaller:
            self._context = said
        if not smaller or (refusal.counted or 0) > tokens:
            self._estimate.refused(request.messages, refusal.counted)
        return PromptMiscounted(f"the backend at {self._address}: {refusal.words}, estimated {tokens}")
