"""Object stores on the loopback of this machine, for containers with --network host."""

import json
import pathlib
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from engine import call, expect, until


def http(url, method="GET", body=None):
    request = urllib.request.Request(url, method=method, data=body,
                                     headers={"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return answer.read()


class Store:
    """Google Cloud Storage as the tests see it."""

    bucket = "bucket"

    def start(self, setting, *command):
        # It ends with its stdin, or here.
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        setting.leftovers.callback(self.process.wait)
        setting.leftovers.callback(self.process.kill)

    def names(self, prefix=""):
        listing = json.loads(http(f"{self.url}/storage/v1/b/{self.bucket}/o?prefix={prefix}"))
        return sorted(item["name"] for item in listing.get("items", []))

    def download(self, prefix, folder):
        """As `gcloud storage cp` would."""
        for name in self.names(prefix + "/"):
            quoted = urllib.parse.quote(name, safe="")
            content = http(f"{self.url}/storage/v1/b/{self.bucket}/o/{quoted}?alt=media")
            (folder / name.rsplit("/", 1)[1]).write_bytes(content)
        return folder


class ScriptedGcs(Store):
    """tests/servers/gcs"""

    def __init__(self, setting, *flags):
        self.start(setting, setting.server("gcs"), *flags)
        says = json.loads(self.process.stdout.readline())
        self.address = says["plain"]
        self.url = f"http://{self.address}"
        self.secure_url = says["url"]

    def uploads(self):
        """The names of coverage files that were uploaded, each as often as that was."""
        log = json.loads(http(f"{self.url}/_control/log"))
        stored = []
        for entry in log:
            url = urllib.parse.urlsplit(entry["path"])
            query = urllib.parse.parse_qs(url.query or entry.get("query", ""))
            if entry["method"] == "POST" and "/upload/" in url.path and entry["status"] == 200:
                stored.append(query["name"][0])
        return sorted(filter(is_coverage, stored))


class FakeGcsServer(Store):
    """github.com/fsouza/fake-gcs-server"""

    def __init__(self, setting):
        for _ in range(5):  # the free port may be taken before the server has it
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.address = f"127.0.0.1:{port}"
            self.url = f"http://{self.address}"
            self.start(setting, setting.server("fake-gcs-server"), "-scheme", "http", "-host",
                       "127.0.0.1", "-port", port, "-backend", "memory", "-log-level", "warn")
            if until(self.settled, "fake-gcs-server") == "up":
                break
        http(f"{self.url}/storage/v1/b?project=p", "POST", b'{"name": "bucket"}')

    def settled(self):
        if self.process.poll() is not None:
            return "gone"
        try:
            http(f"{self.url}/_internal/healthcheck")
            return "up"
        except (urllib.error.URLError, OSError):
            return None


def is_coverage(name):
    return name.rsplit("/", 1)[-1].startswith(("covmeta.", "covcounters."))


def expect_nothing_arrived(ended):
    expect(re.search(r"(\d+) of \1 files were not uploaded", ended.err), ended)


def covdata(verb, folder):
    return call("go", "tool", "covdata", verb, f"-i={folder}").stdout


def expect_coverage(folder, statement):
    """What lies in the folder is coverage that Go's own tool reads, of a package of the app."""
    names = sorted(path.name for path in pathlib.Path(folder).iterdir() if path.is_file())
    expect(any(name.startswith("covmeta.") for name in names), f"no covmeta among {names}")
    expect(any(name.startswith("covcounters.") for name in names), f"no covcounters among {names}")
    percent = covdata("percent", folder)
    expect("coverage:" in percent and "coverage: 0.0%" not in percent,
           f"{statement}: covdata says {percent!r}")
    return percent.strip().split("coverage: ")[1]
