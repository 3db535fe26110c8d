"""Extracts from the only wheel in a directory one executable, or all below MEMBER/: unpack-wheel.py DIRECTORY MEMBER TARGET."""

import pathlib
import shutil
import sys
import zipfile

directory, member, target = sys.argv[1:]
wheels = list(pathlib.Path(directory).glob("*.whl"))
if len(wheels) != 1:
    sys.exit(f"expected one wheel in {directory}, found {len(wheels)}")
is_tree = member.endswith("/")
with zipfile.ZipFile(wheels[0]) as wheel:
    members = [name for name in wheel.namelist() if not name.endswith("/")]
    names = [name for name in members if (name.startswith(member) if is_tree else name == member)]
    if not names:
        sys.exit(f"{wheels[0].name} has no {member}")
    for name in names:
        path = pathlib.Path(target, name[len(member) :]) if is_tree else pathlib.Path(target)
        if ".." in path.parts:
            sys.exit(f"{wheels[0].name} has {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with wheel.open(name) as source, open(path, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        # Which of a tree are programs a wheel does not say; nobody runs the others.
        path.chmod(0o755)
