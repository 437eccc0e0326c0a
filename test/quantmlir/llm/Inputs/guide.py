"""The code of docs/llm.md, one block after the other: SOURCE FOLDER GGUF."""

import os
import pathlib
import re
import sys

text = pathlib.Path(sys.argv[1], "docs", "llm.md").read_text()
blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 4, len(blocks)
os.chdir(sys.argv[2])
os.symlink(sys.argv[3], "model.gguf")
exec(compile("\n".join(blocks), "docs/llm.md", "exec"), {})
assert os.listdir(".") == ["model.gguf"]
