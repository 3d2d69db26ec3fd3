"""What the dispatcher does without: it starts first, and a class waits for it."""

import subprocess
import sys


def test_the_dispatcher_imports_nothing_heavy() -> None:
    code = "import sys, cgcnn.runs.dispatcher; print(*{'torch', 'pymatgen', 'numpy', 'streamlit'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
