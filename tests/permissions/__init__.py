"""Least-privilege test of every role that the stacks create, in both directions.

The test runs in one sandbox with all stacks deployed, and then in one for each value of `thumbnails_on` that adds roles
(`compute.py`). A probe is a task that a role performs, such as binding an album.

1. Every probe runs with all permissions. The emulator logs each authorization decision, and the log shows which
   permissions the probes use. A permission is one action on one resource.
2. Each permission is revoked on its own, a probe that uses it runs again, and the probe has to fail because IAM denied
   exactly that permission. The permission is then restored.
"""
