"""It costs nothing while the program runs."""

import pathlib
import signal
import time

from conditions import Failed, children_of, status_of, until
from harness import behaviour


def wakeups(pid):
    return int(status_of(pid)["voluntary_ctxt_switches"])


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def quiet_for_a_while(setting, run):
    """It may still be at its start: the measure begins at the first pause."""
    until(lambda: run.state() == "S", "it is never idle")
    pause = min(2.0, setting.idle)  # go-integcov lists the folder a second time after 1 s

    def is_idle():
        before = wakeups(run.pid)
        time.sleep(pause)
        return wakeups(run.pid) == before

    is_idle()
    until(is_idle, "it is never idle")
    before, ticks = wakeups(run.pid), cpu_ticks(run.pid)
    time.sleep(setting.idle)  # this is the measure
    count, ticks = wakeups(run.pid) - before, cpu_ticks(run.pid) - ticks
    if count or ticks:
        raise Failed(f"{count} wake-ups and {ticks * 10} ms CPU in {setting.idle:g} s")


@behaviour("quiet.wake-ups", "no wake-up in 20 idle seconds, no output", slow=True)
def idle(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        quiet_for_a_while(setting, run)
        run.type("exit 0\n")
        run.expect_status(0)
        for line in run.stderr_lines():
            if "no coverage appeared" not in line:
                raise Failed(f"it says: {line}")


@behaviour("quiet.wake-ups-with-storage", "the same when coverage was uploaded", slow=True)
def idle_with_storage(setting):
    setting.only_integcov()
    env = {"INTEGCOV_STORAGE": "file://FOLDER/storage", "INTEGCOV_FLUSH_INTERVAL": "0"}
    with setting.run("covers", "wait", "0", env=env) as run:
        run.expect("ready")
        storage = pathlib.Path(run.folder, "storage")
        until(lambda: list(storage.glob("covmeta.*")), "no covmeta in storage")
        quiet_for_a_while(setting, run)
        run.close_stdin()
        run.expect_status(0)
        lines = run.stderr_lines()
        if len(lines) != 1:
            raise Failed(f"not one line at the end: {lines}")


@behaviour("quiet.threads", "one thread, one child")
def threads(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        count = int(status_of(run.pid)["Threads"])
        if count != 1 or len(children_of(run.pid)) != 1:
            raise Failed(f"{count} threads, {len(children_of(run.pid))} children")


@behaviour("quiet.cwd", "it doesn't keep the working directory in use")
def cwd(setting):
    with setting.run("signals", cwd="/usr") as run:
        run.expect("ready")
        until(lambda: pathlib.Path(f"/proc/{run.pid}/cwd").readlink() == pathlib.Path("/"),
              "it stays there")
        run.signal(signal.SIGTERM)
        run.expect("got 15")
