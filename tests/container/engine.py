"""Images and containers through podman and buildah. What is made here is removed here, by its id."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds for a condition that should come true soon


class Failed(Exception):
    """What was seen is not what should be."""


class Unable(Exception):
    """This machine can't run containers, or not of that kind; the text says why."""


def expect(condition, seen):
    if not condition:
        raise Failed(seen)


def until(condition, what):
    """Waits for a true value of condition() and returns it."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        expect(time.monotonic() < end, f"in vain waited for {what}")
        time.sleep(0.01)
    return value


def call(*command, check=True, **kwargs):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=300, **kwargs)
    expect(not check or done.returncode == 0,
           f"{' '.join(map(str, command[:4]))} …: status {done.returncode}: {done.stderr.strip()}")
    return done


def podman(*words, check=True, **kwargs):
    runtime = ["--runtime", "runc"] if shutil.which("runc") else []
    return call("podman", *runtime, "--cgroup-manager", "cgroupfs", *words, check=check, **kwargs)


class Setting:
    """The image that is tested, and the parts around it."""

    def __init__(self, image, programs, servers):
        self.image = image
        self.programs = pathlib.Path(programs).resolve()
        self.servers = pathlib.Path(servers).resolve()
        self.leftovers = contextlib.ExitStack()

    def program(self, name):
        path = self.programs / name
        expect(path.is_file(), f"{path} is not built")
        return path

    def server(self, name):
        return self.servers / name

    def folder(self, mode=0o777):
        """An empty folder, as an emptyDir is one."""
        path = pathlib.Path(tempfile.mkdtemp(prefix="integcov-container-"))
        self.leftovers.callback(shutil.rmtree, path, ignore_errors=True)
        path.chmod(mode)
        return path

    def app_image(self, name, containerfile="FROM {image}\nCOPY app /app\n"):
        """The image that a user makes of a program of tests/programs."""
        context = self.folder()
        shutil.copy(self.program(name), context / "app")
        (context / "Containerfile").write_text(containerfile.format(image=self.image))
        made = call("buildah", "bud", "--isolation", "chroot", "--pull-never", "-q", context)
        image = made.stdout.split()[-1]
        self.leftovers.callback(podman, "rmi", "-f", image, check=False)
        return image

    def container(self, *args, app=None, image=None, mounts=None, **options):
        """Of the image that is tested, by default. app: a program of tests/programs, as /app."""
        mounts = dict(mounts or {})
        if app:
            mounts["/app"] = f"{self.program(app)}"
        container = Container(image or self.image, args, mounts=mounts, **options)
        self.leftovers.callback(container.remove)
        return container

    def run(self, *args, **options):
        return self.container(*args, **options).ended()


class Ended:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit status {self.code}, stdout {self.out!r}, stderr {self.err!r}"


class Container:
    """One container. command: what Kubernetes calls command (the entrypoint), None for the image's."""

    def __init__(self, image, args, *, command=None, env=None, mounts=None, options=(),
                 network="host"):
        # Small limits: where we may not raise ours, podman's defaults fail.
        words = ["create", "--pull", "never", "--network", network, "--ulimit", "nofile=1024:1024",
                 "--ulimit", "nproc=1024:1024"]
        if command is not None:
            words += ["--entrypoint", json.dumps(list(command))]
        for name, value in (env or {}).items():
            words += ["--env", f"{name}={value}"]
        for target, source in (mounts or {}).items():
            words += ["--volume", f"{source}:{target}"]
        self.id = podman(*words, *options, image, *args).stdout.strip()
        self.started = False

    def start(self):
        """Without success for a command that can't be run at all: ended() tells."""
        self.start_error = podman("start", self.id, check=False).stderr
        self.started = True
        return self

    def pid(self):
        return int(self.inspect("{{.State.Pid}}"))

    def inspect(self, form):
        return podman("inspect", "--format", form, self.id).stdout.strip()

    def out(self):
        return podman("logs", self.id).stdout

    def await_line(self, text):
        until(lambda: text in self.out(), f"{text!r} on the container's stdout")
        return self

    def stop(self, seconds=30):
        podman("stop", "--time", seconds, self.id)

    def ended(self):
        if not self.started:
            self.start()
        code = int(podman("wait", self.id).stdout)
        logs = podman("logs", self.id)
        return Ended(code, logs.stdout, logs.stderr)

    def remove(self):
        podman("rm", "--force", "--time", "0", self.id, check=False)
