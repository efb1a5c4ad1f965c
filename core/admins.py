"""Who works in the review console: roles, what each may do, and what is written down of it."""

from enum import StrEnum


class Role(StrEnum):
    """What an admin is there for."""

    OWNER = "owner"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    READ_ONLY = "read-only"


class Permission(StrEnum):
    """What a route of the console may ask for."""

    # Conversations that the admin's grants name, and the admin's own sessions.
    READ = "read"
    # Flags, labels, notes, corrections.
    REVIEW = "review"
    # Answering in the bot's place.
    OPERATE = "operate"
    # Taking out what he may read, and tokens for programs that do.
    EXPORT = "export"
    # Everything that is stored about one person.
    PERSON = "person"
    # Who may sign in, and what they may read.
    ADMINS = "admins"
    AUDIT = "audit"
    # Modes, limits, retention.
    SETTINGS = "settings"
    # People and conversations; and keeping one whatever the rules say.
    ERASE = "erase"


MAY: dict[Role, frozenset[Permission]] = {
    Role.READ_ONLY: frozenset({Permission.READ}),
    Role.REVIEWER: frozenset({Permission.READ, Permission.REVIEW, Permission.EXPORT}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.REVIEW, Permission.OPERATE}),
    Role.OWNER: frozenset(Permission),
}


class Action(StrEnum):
    """What the audit log tells."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    LISTED = "listed"
    SEARCHED = "searched"
    READ = "read"
    READ_PICTURE = "read_picture"
    READ_AUDIT = "read_audit"
    TOOK_OVER = "took_over"
    WROTE = "wrote"
    HANDED_BACK = "handed_back"
    EXPORTED_AUDIT = "exported_audit"
    READ_PERSON = "read_person"
    READ_RETENTION = "read_retention"
    RETENTION_SHOWN = "retention_shown"
    RETENTION_CHANGED = "retention_changed"
    RETENTION_ASKED = "retention_asked"
    RETENTION_RAN = "retention_ran"
    AUDIT_TRIMMED = "audit_trimmed"
    HELD = "held"
    HOLD_ENDED = "hold_ended"
    ERASED_PERSON = "erased_person"
    ERASED_CONVERSATION = "erased_conversation"
    ADMIN_ADDED = "admin_added"
    ADMIN_CHANGED = "admin_changed"
    LINK_MADE = "link_made"
    FLAGGED = "flagged"
    LABELLED = "labelled"
    NOTED = "noted"
    CORRECTED = "corrected"
    JUDGED = "judged"
    ASSIGNED = "assigned"
    STATE_SET = "state_set"
    LABEL_CHANGED = "label_changed"
    QUEUE_CHANGED = "queue_changed"
    QUEUE_READ = "queue_read"
    QUEUE_TAKEN = "queue_taken"
    QUEUE_DONE = "queue_done"
    SETTINGS_CHANGED = "settings_changed"
    # Twice: before the first byte, and how it ended.
    EXPORTED = "exported"
    EXPORT_ENDED = "export_ended"
    PERSON_EXPORTED = "person_exported"
    TOKEN_MADE = "token_made"
    TOKEN_ENDED = "token_ended"
    # Numbers by person; those of days and places name nobody.
    READ_PEOPLE = "read_people"
    EXPORTED_USAGE = "exported_usage"
