#!/usr/bin/env python3
"""Software bill of materials of a static binary, as SPDX 2.3 in JSON, on stdout.

sbom.py --binary FILE --components FILE --version VERSION --arch ARCH --created TIME

--components has a line "SOURCE-PACKAGE VERSION" for each Debian source package that is linked in,
as container/compile writes it; of those in sources.lock the upstream tarball's hash is added.
"""

import argparse
import hashlib
import json
import pathlib
import re
import sys
import urllib.parse

# Debian's copyright files have the whole text; these are the licences of the parts linked in.
LICENSES = {
    "curl": "curl",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gcc-12-cross": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libuv1": "MIT",
    "openssl": "Apache-2.0",
    "simdjson": "Apache-2.0",
}
NOT_SAID = "NOASSERTION"


def locked(lock):
    """name -> (suite, SHA-256 of the upstream tarball)"""
    found = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].split()
        if words:
            found[words[0]] = (words[1], words[4])
    return found


def identifier(name):
    return "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def component(name, version, lock):
    suite, sha256 = lock.get(name, ("bookworm", None))
    if name not in LICENSES:
        sys.exit(f"sbom.py: the licence of {name} is not in the table")
    quoted = urllib.parse.quote(version, safe="")
    package = {
        "SPDXID": identifier(name),
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": f"https://packages.debian.org/source/{suite}/{name}",
        "filesAnalyzed": False,
        "licenseConcluded": NOT_SAID,
        "licenseDeclared": LICENSES[name],
        "copyrightText": NOT_SAID,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator":
                f"pkg:deb/debian/{urllib.parse.quote(name)}@{quoted}?arch=source&distro={suite}",
        }],
    }
    if sha256:
        package["sourceInfo"] = f"SHA-256 of the upstream tarball: {sha256}"
    return package


def document(options, lock):
    content = options.binary.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"go-integcov-{options.version}-linux-{options.arch}"
    lines = [line.split() for line in options.components.read_text().splitlines() if line.strip()]
    packages = [component(package, version, lock) for package, version in lines]
    missing = set(lock) - {package["name"] for package in packages}
    if missing:
        sys.exit(f"sbom.py: {options.components} lacks {', '.join(sorted(missing))}")
    program = {
        "SPDXID": "SPDXRef-Package-go-integcov",
        "name": "go-integcov",
        "versionInfo": options.version,
        "packageFileName": name,
        "downloadLocation": NOT_SAID,
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": sha256}],
        "licenseConcluded": NOT_SAID,
        "licenseDeclared": "Apache-2.0",
        "copyrightText": NOT_SAID,
        "primaryPackagePurpose": "APPLICATION",
    }
    links = [{"spdxElementId": program["SPDXID"], "relationshipType": "STATIC_LINK",
              "relatedSpdxElement": package["SPDXID"]} for package in packages]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{sha256}",
        "creationInfo": {"created": options.created, "creators": ["Tool: go-integcov-sbom"]},
        "packages": [program, *packages],
        "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                           "relatedSpdxElement": program["SPDXID"]}, *links],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "components"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    for name in ("version", "arch", "created"):
        parser.add_argument("--" + name, required=True)
    lock = locked(pathlib.Path(__file__).with_name("sources.lock"))
    print(json.dumps(document(parser.parse_args(), lock), indent=2))


if __name__ == "__main__":
    main()
