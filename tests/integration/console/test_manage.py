"""Admins as the command line manages them."""

import pytest

from admin.manage import (
    COMMAND_LINE,
    LOCAL_OWNER,
    console_url,
    create_admin,
    list_admins,
    local_owner_link,
    make_link,
    set_enabled,
    set_password,
)
from core.admins import Action, Role
from core.errors import NotFound, RequestError
from tests.integration.console.desk import open_desk
from tests.processes import installation

PASSWORD = "correct horse battery staple"


def test_the_local_owner_is_made_where_nobody_is_and_stays_out_where_he_is_disabled(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with installation(tmp_path_factory.mktemp("manage")) as at, open_desk(at) as desk:
        settings = desk.settings
        link = local_owner_link(settings)
        secret = link.rpartition("/")[2]
        assert link == f"{console_url(settings)}/link/{secret}"
        browser = desk.browser()
        assert browser.post("/link", data={"secret": secret}).status_code == 303
        assert browser.get("/admins").status_code == 200
        assert local_owner_link(settings) not in ("", link)
        create_admin(settings, "olga", Role.OWNER)
        set_enabled(settings, LOCAL_OWNER, enabled=False)
        assert browser.get("/").status_code == 303
        assert local_owner_link(settings) == ""
        assert [admin.name for admin in list_admins(settings)] == [LOCAL_OWNER, "olga"]
        assert {entry.admin_name for entry in desk.audit(action=Action.ADMIN_CHANGED)} == {COMMAND_LINE}
        with pytest.raises(RequestError, match="last owner"):
            set_enabled(settings, "olga", enabled=False)

        with pytest.raises(NotFound, match="glimt admins enable"):
            make_link(settings, LOCAL_OWNER, "http://x")
        with pytest.raises(NotFound, match="glimt admins list"):
            make_link(settings, "nobody", "http://x")
        set_enabled(settings, LOCAL_OWNER, enabled=True)
        assert make_link(settings, LOCAL_OWNER, "http://x").startswith("http://x/link/")

        signed_in = desk.signed_in(next(admin for admin in list_admins(settings) if admin.name == "olga"))
        set_password(settings, "olga", PASSWORD)
        assert signed_in.get("/").status_code == 303, "a new password ends the sessions"
        answer = desk.browser().post("/sign-in", data={"name": "olga", "password": PASSWORD})
        assert answer.status_code == 303

        for name, email, password, says in (
            ("olga", "", PASSWORD, "already"),
            (" ", "", PASSWORD, "1 to 100 printable characters"),
            ("x" * 101, "", PASSWORD, "1 to 100 printable characters"),
            ("a\nb", "", PASSWORD, "1 to 100 printable characters"),
            ("x", "", "short", "12 to 200 characters"),
            ("x", "", "x" * 201, "12 to 200 characters"),
            ("x", "nobody", PASSWORD, "no e-mail address"),
            ("x", "a b@c", PASSWORD, "no e-mail address"),
        ):
            with pytest.raises(RequestError, match=says):
                create_admin(settings, name, Role.OWNER, email=email, password=password)
