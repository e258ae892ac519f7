"""What scripts/notices does after its tools: adds what is no crate, and takes out what differs from run to run.

    notices.py notices TEXT FILE    THIRD-PARTY-NOTICES, of the text that cargo-about wrote
    notices.py list LIST FILE       the list of parts, of the one that cargo-cyclonedx wrote
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

MODELS = ["person.onnx", "person_int8.onnx"]
ONNXRUNTIME = pathlib.Path(".cache/onnxruntime")


def said(*command):
    """What the command prints; it ends the program when it fails."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def onnxruntime_version():
    return re.search(r"^ort_version=(.+)$", pathlib.Path("scripts/setup").read_text(), re.M).group(1)


def sqlite_version():
    """That of the source in the crate libsqlite3-sys."""
    packages = json.loads(said("cargo", "metadata", "--format-version", "1", "--frozen"))["packages"]
    (manifest,) = [p["manifest_path"] for p in packages if p["name"] == "libsqlite3-sys"]
    header = pathlib.Path(manifest).parent / "sqlite3" / "sqlite3.h"
    return re.search(r'^#define SQLITE_VERSION +"(.+)"', header.read_text(), re.M).group(1)


def write(path, text):
    draft = pathlib.Path(path + ".new")
    draft.write_text(text)
    draft.replace(path)


def heading(text):
    return f"\n{'=' * 80}\n{text}\n{'=' * 80}\n\n"


def notices(crates, path):
    text = pathlib.Path("packaging/notices.txt").read_text()
    text = text.replace("@SQLITE_VERSION@", sqlite_version()).replace("@ORT_VERSION@", onnxruntime_version())
    text += pathlib.Path(crates).read_text()
    for name in ["LICENSE", "ThirdPartyNotices.txt"]:
        try:
            text += heading(f"ONNX Runtime: {name}") + (ONNXRUNTIME / name).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            sys.exit(f"notices: '{ONNXRUNTIME / name}' is missing: scripts/setup fetches it with the library")
    # Some files end their lines as Windows does, and some end with spaces.
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    write(path, "\n".join(lines).rstrip("\n") + "\n")


def component(name, version, licensed, about, kind="library", scope="required", hashes=None):
    reference = f"pkg:generic/{name}@{version}"
    made = {"type": kind, "bom-ref": reference, "name": name, "version": version, "description": about, "scope": scope}
    if hashes:
        made["hashes"] = [{"alg": "SHA-256", "content": hashes}]
    made["licenses"] = [{"expression": licensed}]
    made["purl"] = reference
    return made


def others(version):
    """The parts that are no crate."""
    linked = [("opencv4", "opencv", "Apache-2.0")]
    # As Debian builds them.
    linked += [(name, name, "GPL-2.0-or-later") for name in ["libavcodec", "libavformat", "libavutil", "libswscale"]]
    parts = [
        component(name, said("pkg-config", "--modversion", module), licensed, "a shared library of the system")
        for module, name, licensed in linked
    ]
    parts.append(component("sqlite", sqlite_version(), "blessing", "its source is in the crate libsqlite3-sys"))
    rust = said("rustc", "--version").split()[1]
    parts.append(component("rust-std", rust, "MIT OR Apache-2.0", "the standard library of Rust"))
    for name in MODELS:
        parts.append(
            component(name, version, "MIT", "the embedded detector", "machine-learning-model", hashes=sha256(f"models/{name}"))
        )
    library = ONNXRUNTIME / "libonnxruntime.so"
    if library.exists():
        about = "a shared library, loaded where it is there"
        parts.append(component("onnxruntime", onnxruntime_version(), "MIT", about, scope="optional", hashes=sha256(library)))
    return parts


def parts_list(source, path):
    bom = json.loads(pathlib.Path(source).read_text())
    program = bom["metadata"]["component"]
    program["purl"] = f"pkg:cargo/{program['name']}@{program['version']}"
    program.pop("components", None)
    # By what they are called everywhere, in place of where this machine has them.
    names = {made["bom-ref"]: made["purl"] for made in [program, *bom["components"]]}
    for made in [program, *bom["components"]]:
        made["bom-ref"] = made["purl"]
    uses = {names[d["ref"]]: {names[on] for on in d.get("dependsOn", [])} for d in bom["dependencies"]}

    parts = others(program["version"])
    uses.update({part["bom-ref"]: set() for part in parts})
    (sqlite_crate,) = [made["bom-ref"] for made in bom["components"] if made["name"] == "libsqlite3-sys"]
    for part in parts:
        uses[sqlite_crate if part["name"] == "sqlite" else program["bom-ref"]].add(part["bom-ref"])
    bom["components"] = sorted(bom["components"] + parts, key=lambda made: made["bom-ref"])
    bom["dependencies"] = [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(uses.items())]

    bom["metadata"].pop("timestamp", None)
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        time = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
        bom["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    bom.pop("serialNumber", None)
    content = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).hexdigest()
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"
    text = json.dumps(bom, indent=2, ensure_ascii=False) + "\n"
    if "file://" in text:
        sys.exit("notices: the list of parts names a path of this machine; packaging/notices.py should take it out")
    write(path, text)


if __name__ == "__main__":
    what, source, path = sys.argv[1:]
    {"notices": notices, "list": parts_list}[what](source, path)
