"""The album job: contact sheets of photos, bound to one PDF."""
