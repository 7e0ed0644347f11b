"""Least privilege, both ways: each right of each role is used by some work, and that work fails without it.

In one sandbox with everything deployed: the work of every role is done once, and what the emulator decided is held
against the policies as deployed. Then each right, a pair of one action and one resource, is taken away on its own, the
work that used it is done again and has to fail by a denial of just that, and the right is given back.
"""
