"""Extensions of the emulator (ministack) for these stacks, in the process of the emulator.

They replace private functions of one pinned version; `__main__.py` stops with one line if another version is installed.
Each module corrects or adds one feature of AWS. Its docstring states what is emulated and what is not.
"""
