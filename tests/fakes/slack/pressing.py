"""What people do in the workspace without words: buttons, shortcuts, commands, dialogs, App Home, removal."""

from __future__ import annotations

from tests.fakes.slack import events, interactions
from tests.fakes.slack.delivery import Delivery
from tests.fakes.slack.speaking import Speaking
from tests.fakes.slack.state import Channel, Json, Message, User, Workspace


class Pressing(Speaking):
    """Interactions. None of them is delivered twice."""

    def _team(self, user: User, channel: Channel | None = None) -> Workspace:
        """Where it happens: people of other workspaces act, in shared channels, in the one that has the app."""
        return self.world.workspaces[channel.team_id if channel is not None else user.team_id]

    def press(self, user: User, message: Message, action_id: str, *, choice: str = "") -> Delivery:
        """A button (or menu, with the value of `choice`; or feedback buttons, with positive or negative).

        Raises:
            LookupError: the message shows no such thing to this user.
        """
        if message.ephemeral_to not in ("", user.id) or message.ts not in self.world.channels[message.channel].messages:
            raise LookupError("the message is not there for this user")
        with self.lock:
            element, block_id = find_element(message.blocks, action_id)
            payload = interactions.block_actions(
                self.world,
                self._team(user, self.world.channels[message.channel]),
                user,
                interactions.pressed(element, block_id, self.world.clock.stamp(), choice=choice),
                trigger=self.new_trigger(user),
                url=self.response_urls.new(self.world.channels[message.channel], user, message),
                message=message,
            )
        return self.deliverer.start("interactive", payload)

    def press_home(self, user: User, action_id: str, *, choice: str = "") -> Delivery:
        """A button in the Home tab.

        Raises:
            LookupError: the tab does not show it.
        """
        with self.lock:
            view = self.world.homes.get(user.id)
            if view is None:
                raise LookupError("nothing was published to this user's Home tab")
            element, block_id = find_element(view["blocks"], action_id)
            action = interactions.pressed(element, block_id, self.world.clock.stamp(), choice=choice)
            payload = interactions.view_actions(
                self.world, self._team(user), user, action, trigger=self.new_trigger(user), view=view
            )
        return self.deliverer.start("interactive", payload)

    def submit(self, user: User, view: Json, values: Json | None = None) -> Delivery:
        """A dialog sent off. `values`: block_id, action_id, then the element's state."""
        payload = interactions.view_submission(
            self.world, self._team(user), user, view, values or {}, self.new_trigger(user)
        )
        return self.deliverer.start("interactive", payload)

    def modal(self, user: User) -> Json:
        """The dialog that somebody sees.

        Raises:
            LookupError: he sees none.
        """
        shown = [view for view in self.world.modals.values() if view["user"] == user.id]
        if not shown:
            raise LookupError(f"no dialog is open for {user.name}")
        return shown[-1]

    def shortcut(self, user: User, message: Message, callback_id: str) -> Delivery:
        """A message shortcut."""
        with self.lock:
            payload = interactions.message_action(
                self.world,
                self._team(user, self.world.channels[message.channel]),
                user,
                message,
                callback_id=callback_id,
                trigger=self.new_trigger(user),
                url=self.response_urls.new(self.world.channels[message.channel], user, message),
            )
        return self.deliverer.start("interactive", payload)

    def command(self, user: User, channel: Channel, text: str, *, command: str = "/glimt") -> Delivery:
        """A slash command. Slack does not let anybody type one in a thread."""
        with self.lock:
            payload = interactions.slash_command(
                self.world,
                self._team(user, channel),
                user,
                channel,
                command=command,
                text=text,
                trigger=self.new_trigger(user),
                url=self.response_urls.new(channel, user),
            )
        return self.deliverer.start("slash_commands", payload)

    def stop(self, user: User, channel: Channel, thread: str) -> Delivery:
        """Slack's own Stop, which is there while the thread's session is `processing`.

        Raises:
            LookupError: there is no such button now.
        """
        with self.lock:
            session = self.world.sessions.get((channel.id, thread))
            if session is None or session.status != "processing" or "agent_session_stopped" not in self.subscribed:
                raise LookupError("Slack shows no Stop button in this thread")
            streaming: list[str] = []
            for message in self.world.thread(channel, thread):
                self.expire(message)
                if message.stream is not None and message.stream.state == "in_progress":
                    message.stream.state = "stopped_by_user"
                    streaming.append(message.ts)
            event = events.agent_session_stopped(user, channel, thread, streaming, self.world.clock.stamp())
        return self.deliver(event, channel=channel)

    def open_home(self, user: User, tab: str = "home") -> Delivery:
        """Somebody opens the app: its Home tab or its messages."""
        im = self.im(user)
        view = self.world.homes.get(user.id)
        return self.deliver(
            events.app_home_opened(self.world, user, im, tab, self.world.clock.stamp(), view), channel=im
        )

    def look_at(self, user: User, channel: Channel | None) -> Delivery:
        """Somebody opens another conversation while the app is beside it; None: nothing that the app may know."""
        im = self.im(user)
        event = events.app_context_changed(user, im, self.world.clock.stamp(), channel, user.team_id)
        return self.deliver(event, channel=im)

    def verify_url(self) -> Delivery:
        """What Slack asks of a request URL before it sends events: say the challenge back (`answer`)."""
        return self.deliverer.start("events_api", events.url_verification(self.world.ids("challenge")), retries=0)

    def uninstall(self, workspace: Workspace | None = None) -> list[Delivery]:
        """The app is removed: its tokens die, and two events say so."""
        team = workspace or self.workspace
        with self.lock:
            for token in [t for t, grant in self.world.grants.items() if grant.team_id == team.id]:
                del self.world.grants[token]
        return [
            self.deliver(events.tokens_revoked([team.bot_user.id]), workspace=team),
            self.deliver(events.app_uninstalled(), workspace=team),
        ]


def find_element(blocks: list[Json], action_id: str) -> tuple[Json, str]:
    """The element with `action_id`, and its block's id.

    Raises:
        LookupError: there is none; the message names those that are there.
    """
    seen: list[str] = []
    for index, block in enumerate(blocks):
        elements = [*block.get("elements", []), block.get("accessory")]
        for element in elements:
            if isinstance(element, dict) and "action_id" in element:
                if element["action_id"] == action_id:
                    return element, block.get("block_id", f"b{index}")
                seen.append(element["action_id"])
    raise LookupError(f"no action {action_id}; there are {seen}")
