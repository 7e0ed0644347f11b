"""`make compare`: the thumbnail workload on each compute option, measured with the same photos, and priced."""
