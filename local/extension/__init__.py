"""What the emulator (ministack) lacks for these stacks, added inside its own process.

It changes private names of one pinned version; `__main__.py` stops with one line when one of them is gone.
"""
