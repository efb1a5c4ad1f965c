"""What the supervisor does where it is not the process that fails, but starting it again."""

from pathlib import Path
from tempfile import TemporaryDirectory

from structlog.testing import capture_logs

from core.queue.embedded import EmbeddedRedis
from core.settings import load_settings
from glimt.supervisor import Supervisor
from tests.processes import until


def test_a_redis_that_cannot_be_started_again_is_tried_until_it_can() -> None:
    # Not under pytest's folder: a path to a Unix socket must stay short.
    with TemporaryDirectory(prefix="glimt-sup-") as made:
        there, gone = Path(made) / "there", Path(made) / "gone"
        there.mkdir()
        with EmbeddedRedis(there / "redis.sock", Path(made) / "data") as server:
            supervisor = Supervisor(load_settings(_env_file=None), print, redis=server)
            server.client().set("kept", "1")
            server.kill()
            there.rename(gone)

            def comes_back() -> bool:
                supervisor.look_after()
                return server.alive()

            with capture_logs() as logs:
                assert not comes_back()
                until(lambda: comes_back() or len(logs) > 2, "it is tried again")

            assert {line["event"] for line in logs} == {"embedded_redis_ended", "embedded_redis_not_started"}
            gone.rename(there)
            until(comes_back, "it is started")
            assert server.client().get("kept") == b"1"
