"""Extracts one executable from the only wheel in a directory: unpack-wheel.py DIRECTORY MEMBER TARGET."""

import pathlib
import shutil
import sys
import zipfile

directory, member, target = sys.argv[1:]
wheels = list(pathlib.Path(directory).glob("*.whl"))
if len(wheels) != 1:
    sys.exit(f"expected one wheel in {directory}, found {len(wheels)}")
with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(member) as source, open(target, "wb") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
pathlib.Path(target).chmod(0o755)
