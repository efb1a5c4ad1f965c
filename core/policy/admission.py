"""Who may ask now: by the lists of who is served, and by quotas."""

from core.conversation.inbound import InboundQuestion
from core.errors import NotServed
from core.policy.quotas import QuotaKeeper
from core.policy.watch import NoPolicies, Policies
from core.store.database import Repositories
from core.store.models import Conversation, Person
from core.values import PULL_PLATFORMS, utc_now


class Admission:
    """Without policies everybody may ask whatever he likes."""

    def __init__(self, policies: Policies | None = None) -> None:
        self._policies = policies or NoPolicies()
        self._quotas = QuotaKeeper()

    def check_person(self, inbound: InboundQuestion) -> None:
        """Before anything of a question is kept.

        Raises:
            NotServed: an admin has decided so. A chat's adapter has looked already, and knows who is alone with us.
        """
        if inbound.platform not in PULL_PLATFORMS:
            return
        if not self._policies.now.serves(inbound.platform, inbound.workspace, inbound.person):
            raise NotServed

    def check_quotas(
        self, repositories: Repositories, person: Person, conversation: Conversation | None, *, again: bool = False
    ) -> None:
        """For the model only: a human who has taken over answers without. `again`: the question was asked before.

        Raises:
            QuotaReached: one is.
        """
        if conversation is not None and conversation.handed_over_at is not None:
            return
        workspace_id = person.workspace_id or ""
        self._quotas.check(
            repositories,
            self._policies.now.of(workspace_id).quotas(),
            person_id=person.id,
            workspace_id=workspace_id,
            now=utc_now(),
            again=again,
        )
