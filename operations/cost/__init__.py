"""What a deployment costs: while it is idle, and for a month of use. `make cost`."""
