"""What users do with the image, with real Go programs and stores on the loopback."""

import json
import subprocess

from engine import ROOT, expect, podman
from limits import RESTRICTED
from processes import TO_FOLDER
from servers import (FakeGcsServer, ScriptedGcs, expect_coverage, expect_nothing_arrived,
                     is_coverage)

BUCKET = "gs://bucket/folder"


def base_image(setting):
    """FROM the image, COPY app /app, command go-integcov, args app, one variable."""
    image = setting.app_image("hello")
    seen = []
    for store in (ScriptedGcs(setting), FakeGcsServer(setting)):
        port = store.address.rsplit(":", 1)[1]
        ended = setting.run("app", "0", "Ada", image=image, command=["go-integcov"], env={
            "INTEGCOV_STORAGE": BUCKET, "STORAGE_EMULATOR_HOST": f"localhost:{port}"})
        expect(ended.code == 0 and ended.out == "0\nAda\nall is well\n", ended)
        seen.append(expect_coverage(store.download("folder", setting.folder()), "hello"))
    expect(seen[0] == seen[1], seen)
    return f"covdata: {seen[0]}"


def entrypoint(setting):
    """The image's own entrypoint, with the app as CMD."""
    image = setting.app_image("hello", 'FROM {image}\nCOPY app /app\nCMD ["app", "4"]\n')
    storage = setting.folder()
    ended = setting.run(image=image, mounts={"/s": storage}, env=TO_FOLDER)
    expect(ended.code == 4, ended)
    return expect_coverage(storage, "hello")


def tls(setting):
    """Certificates are checked against the bundle at the usual place; an unknown CA is refused."""
    folder, cover = setting.folder(), setting.folder()
    store = ScriptedGcs(setting, "-tls", "-ca-out", folder / "ca.pem")
    env = {"INTEGCOV_STORAGE": BUCKET, "STORAGE_EMULATOR_HOST": store.secure_url,
           "INTEGCOV_UPLOAD_TIMEOUT": "3s"}
    refused = setting.run("app", app="hello", env=env, mounts={"/tmp/integcov": cover})
    expect(refused.code == 0 and "certificate" in refused.err and not store.uploads(), refused)
    env["INTEGCOV_UPLOAD_TIMEOUT"] = "60s"
    ended = setting.run("app", app="hello", env=env, mounts={
        "/etc/ssl/certs/ca-certificates.crt": folder / "ca.pem"})
    expect(ended.code == 0 and "uploaded 2 files" in ended.err, ended)
    return expect_coverage(store.download("folder", setting.folder()), "hello")


def restarts_on_a_volume(setting):
    """An emptyDir outlives a restart: what could not be uploaded goes up with the next run, once."""
    cover = setting.folder()
    env = {"INTEGCOV_STORAGE": BUCKET, "STORAGE_EMULATOR_HOST": "192.0.2.1:80",
           "INTEGCOV_UPLOAD_TIMEOUT": "1s"}
    cut_off = setting.run("app", app="hello", network="none", env=env,
                          mounts={"/tmp/integcov": cover})
    expect(cut_off.code == 0, cut_off)
    expect_nothing_arrived(cut_off)

    store = ScriptedGcs(setting)
    env |= {"STORAGE_EMULATOR_HOST": store.address, "INTEGCOV_UPLOAD_TIMEOUT": "60s"}
    container = setting.container("app", "1", app="hello", env=env,
                                  mounts={"/tmp/integcov": cover})
    for _ in range(3):
        ended = container.start().ended()  # the same container, as after a crash
        expect(ended.code == 1, ended)
    names = list(filter(is_coverage, store.names()))
    expect(len(names) == 5 and store.uploads() == names, f"{names}, uploads {store.uploads()}")
    return "1 covmeta and 4 covcounters, each uploaded once"


def install(setting):
    """An init container brings go-integcov to an app image that isn't rebuilt."""
    shared, storage = setting.folder(), setting.folder()
    init = setting.run("--install", "/shared/", mounts={"/shared": shared},
                       options=RESTRICTED, network="none")
    expect(init.code == 0 and "installed /shared/go-integcov" in init.err, init)
    other = setting.app_image("hello", "FROM scratch\nCOPY app /app\nUSER 1000\n")
    ended = setting.run("/app", "6", image=other, command=["/shared/go-integcov"], network="none",
                        mounts={"/shared": shared, "/s": storage, "/tmp": setting.folder()},
                        env=TO_FOLDER)
    expect(ended.code == 6, ended)
    failed = setting.run("--install", "/none/x", network="none")
    expect(failed.code == 125 and failed.err.count("\n") == 1, failed)
    return expect_coverage(storage, "hello")


def copy_from(setting):
    """COPY --from the image into an image of one's own."""
    image = setting.app_image("hello", "FROM scratch\nCOPY app /bin/app\n"
                              "COPY --from={image} /go-integcov /bin/go-integcov\n"
                              'ENTRYPOINT ["/bin/go-integcov"]\nCMD ["/bin/app", "2"]\n')
    storage = setting.folder()
    ended = setting.run(image=image, network="none", env=TO_FOLDER,
                        mounts={"/s": storage, "/tmp": setting.folder()})
    expect(ended.code == 2, ended)
    return expect_coverage(storage, "hello")


def sample_deployment(setting):
    """container/kubernetes/deployment.yaml: a server under its restrictions, killed, read back."""
    shown = subprocess.run([setting.server("manifests"), "json",
                            ROOT / "container/kubernetes/deployment.yaml"], check=True,
                           capture_output=True, text=True).stdout
    pod = next(json.loads(line) for line in shown.splitlines()
               if json.loads(line)["kind"] == "Deployment")["spec"]["template"]["spec"]
    sample, = pod["containers"]
    env = {entry["name"]: entry["value"] for entry in sample["env"] if "value" in entry}
    storage = env["INTEGCOV_STORAGE"].removeprefix("gs://")
    bucket, prefix = storage.split("/", 1)
    store = ScriptedGcs(setting, "-buckets", f"bucket,{bucket}")
    store.bucket = bucket
    env |= {"STORAGE_EMULATOR_HOST": store.address, "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    mounts = {mount["mountPath"]: setting.folder() for mount in sample["volumeMounts"]}

    image = setting.app_image("server")
    running = setting.container(*sample["args"], image=image, command=sample["command"],
                                env=env, mounts=mounts, options=RESTRICTED)
    running.start().await_line("listening")
    running.stop(pod.get("terminationGracePeriodSeconds", 30))
    ended = running.ended()
    expect(ended.code == 0 and ended.out.endswith("bye\n"), ended)
    lines = [line for line in ended.err.splitlines() if "still uploading" not in line]
    expect([json.loads(line)["severity"] for line in lines] == ["NOTICE"], ended)
    percent = expect_coverage(store.download(prefix, setting.folder()), "server")

    # A second replica is taken by SIGKILL: what the first one saved stays as it is.
    second = setting.container(*sample["args"], image=image, command=sample["command"], env=env,
                               mounts=mounts, options=RESTRICTED)
    second.start().await_line("listening")
    podman("kill", "--signal", "SIGKILL", second.id)
    expect(second.ended().code == 137, second.ended())
    after = expect_coverage(store.download(prefix, setting.folder()), "server")
    expect(after == percent, f"{after} in place of {percent}")
    return f"{' '.join(sample['command'] + sample['args'])}: covdata: {percent}"


CASES = (base_image, entrypoint, tls, restarts_on_a_volume, install, copy_from, sample_deployment)
