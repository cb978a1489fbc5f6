"""Reference pages generated from the code: what a page says is what the program does.

``python -m tools.reference`` writes ``docs/reference``; ``--check`` only compares and says which
pages differ. A page whose part of the program is not built yet is left out.
"""

from tools.reference.pages import folder, pages

__all__ = ["folder", "pages"]
