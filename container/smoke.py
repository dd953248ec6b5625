#!/usr/bin/env python3
"""Does a binary of another architecture work? smoke.py BINARY ARCH [EMULATOR]

Runs a Go program for ARCH, built with -cover, under BINARY, both by EMULATOR if one is given, such
as qemu-aarch64-static; uploads over TLS, with a token for which a service account signs, to the
scripted server; holds what arrived against `go tool covdata`. tests/container does more, for this
machine's architecture.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def build(folder, arch):
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    run("go", "build", "-cover", "-o", folder / "hello", "./hello", cwd=ROOT / "tests/programs",
        env={**env, "GOARCH": arch})
    run("go", "build", "-o", folder / "gcs", "./gcs", cwd=ROOT / "tests/servers", env=env)
    run("openssl", "genrsa", "-out", folder / "key.pem", "2048", stderr=subprocess.DEVNULL)
    run("openssl", "rsa", "-in", folder / "key.pem", "-pubout", "-out", folder / "public.pem",
        stderr=subprocess.DEVNULL)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    binary, arch, *emulator = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        refuse(folder, [*emulator, binary])
        build(folder, arch)
        server = subprocess.Popen(
            [folder / "gcs", "-tls", "-ca-out", folder / "ca.pem", "-public-key",
             folder / "public.pem", "-token", "token"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            upload(folder, [*emulator, binary], [*emulator, folder / "hello"],
                   json.loads(server.stdout.readline())["url"])
        finally:
            server.stdin.close()
            server.wait()
    print(f"{binary} works for {arch}")


def upload(folder, ours, app, url):
    account = {"type": "service_account", "client_email": "smoke@example.com", "token_uri":
               f"{url}/token", "private_key": (folder / "key.pem").read_text()}
    (folder / "account.json").write_text(json.dumps(account))
    env = {"PATH": os.environ["PATH"],
           "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
           "SSL_CERT_FILE": str(folder / "ca.pem"), "INTEGCOV_GCS_ENDPOINT": url}
    for storage in ("gs://bucket/smoke", f"file://{folder}/storage"):
        env["GOCOVERDIR"] = tempfile.mkdtemp(dir=folder)
        done = subprocess.run([*map(str, ours), "--storage", storage, *map(str, app), "3"], env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode != 3 or "uploaded 2 files" not in done.stderr:
            sys.exit(f"smoke.py: {storage}: status {done.returncode}: {done.stderr}")
    run("go", "tool", "covdata", "percent", f"-i={folder}/storage")


def refuse(folder, ours):
    for program, status in (("/no/such/program", 127), ("/etc/passwd", 126)):
        done = subprocess.run([*map(str, ours), program], stderr=subprocess.PIPE, text=True,
                              env={"GOCOVERDIR": str(folder / "none")}, check=False)
        if done.returncode != status or f'cannot run "{program}"' not in done.stderr:
            sys.exit(f"smoke.py: {program}: status {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    main()
