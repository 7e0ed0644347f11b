"""The album job: draws contact sheets of photos, and binds them to a PDF."""
