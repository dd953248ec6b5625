"""What the image is, and how it runs a program: PID 1, signals, exit statuses, idle memory."""

import json
import os
import signal

from engine import expect, podman
from servers import is_coverage

READY = "ready"  # what sleeper prints once it has its handlers
TO_FOLDER = {"INTEGCOV_STORAGE": "file:///s"}


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(word) for word in file.read().split()]


def image_is_small(setting):
    """One binary and the base: labels, user, vector entrypoint, PATH; no shell, at most 7.5 MB."""
    seen = json.loads(podman("image", "inspect", setting.image).stdout)[0]
    config = seen["Config"]
    expect(config["Entrypoint"] == ["/go-integcov"], config["Entrypoint"])
    expect(config["User"] == "65532:65532", config["User"])
    path = [entry for entry in config["Env"] if entry.startswith("PATH=")]
    expect(path and path[0].endswith(":/"), path)
    for label in ("title", "description", "licenses", "version", "revision", "base.name"):
        expect(config["Labels"].get(f"org.opencontainers.image.{label}"), f"no label {label}")
    expect(seen["Size"] <= 7_500_000, f"{seen['Size']} bytes")
    shell = setting.container("-c", "true", command=["sh"]).start()
    expect("not found" in shell.start_error, f"there is a shell: {shell.start_error}")
    return f"{seen['Size'] / 1e6:.2f} MB"


def pid_1(setting):
    """go-integcov is process 1, the app its child; an orphan is reaped and its coverage uploaded."""
    running = setting.container("app", app="sleeper").start().await_line(READY)
    top = running.pid()
    expect(status_of(top)["NSpid"].split()[-1] == "1", status_of(top)["NSpid"])
    expect(status_of(top)["Name"] == "go-integcov", status_of(top)["Name"])
    names = [status_of(child)["Name"] for child in children_of(top)]
    expect(names == ["app"], f"children of process 1: {names}")

    storage = setting.folder()
    ended = setting.run("app", "-n", "2", "-orphan", "50ms", app="family", mounts={"/s": storage},
                        env=TO_FOLDER)
    expect(ended.code == 0, ended)
    counters = [p.name for p in storage.iterdir() if p.name.startswith("covcounters.")]
    expect(len(counters) == 4, f"counters of the app, 2 children and an orphan: {counters}")
    return f"children: {names[0]}; 4 processes' counters"


def stop_signal(setting):
    """podman stop ends the app by SIGTERM, its exit status is kept, its coverage is saved."""
    storage = setting.folder()
    running = setting.container("app", "-exit", "7", app="sleeper", mounts={"/s": storage},
                                env=TO_FOLDER)
    running.start().await_line(READY)
    running.stop()
    ended = running.ended()
    expect(ended.code == 7, ended)
    names = [path.name for path in storage.iterdir() if is_coverage(path.name)]
    expect(len(names) == 2, names)
    return "status 7"


def every_signal(setting):
    """What podman kill sends reaches the app as it is."""
    running = setting.container("app", "-print-signals", "-until", "SIGQUIT", "-exit", "3",
                                app="sleeper")
    running.start().await_line(READY)
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTERM", "SIGINT"):
        podman("kill", "--signal", name, running.id)
        running.await_line(name)
    podman("kill", "--signal", "SIGQUIT", running.id)
    ended = running.ended()
    expect(ended.code == 3, ended)
    return ended.out.replace(READY + "\n", "").replace("\n", " ").strip()


def exit_statuses(setting):
    """The app's own; 125 malformed setting, 126 not executable, 127 not found."""
    expect(setting.run("app", "42", app="hello").code == 42, "the app's own status is lost")
    malformed = setting.run("app", app="hello", env={"INTEGCOV_STORAGE": "bucket"})
    expect(malformed.code == 125 and "INTEGCOV_STORAGE" in malformed.err, malformed)
    missing = setting.run("no-such-app")
    expect(missing.code == 127 and "no-such-app" in missing.err, missing)
    folder = setting.folder()
    (folder / "plain").write_text("no program")
    plain = setting.run("/f/plain", mounts={"/f": folder})
    expect(plain.code == 126 and "/f/plain" in plain.err, plain)
    return "42 125 126 127"


def killed_app(setting):
    """An app that SIGKILL ended, as the kernel does out of memory: 137, and one line says why."""
    running = setting.container("app", app="sleeper", mounts={"/s": setting.folder()},
                                env=TO_FOLDER)
    running.start().await_line(READY)
    app, = children_of(running.pid())
    os.kill(app, signal.SIGKILL)
    ended = running.ended()
    expect(ended.code == 137 and "left no counters" in ended.err, ended)
    return "status 137"


def idle_memory(setting):
    """Before the first upload go-integcov itself has less than 0.6 MB of memory of its own."""
    # The app is a second go-integcov, whose program writes its coverage to another folder.
    running = setting.container("go-integcov", "--storage=", "--coverdir=/tmp/other", "app",
                                app="sleeper", network="none",
                                env={"INTEGCOV_STORAGE": "gs://bucket/x"})
    running.start().await_line(READY)
    status = status_of(running.pid())
    own = int(status["RssAnon"].split()[0])
    expect(own < 600, f"RssAnon {own} kB")
    return f"RssAnon {own} kB, VmRSS {status['VmRSS'].split()[0]} kB"


CASES = (image_is_small, pid_1, stop_signal, every_signal, exit_statuses, killed_app, idle_memory)
