"""The soak: photos by the thousand while everything that may go wrong goes wrong. Then it is looked at what is there.

Clients upload, replace and delete at once; the events of S3 come twice, late and out of order; a fifth of the calls of
the functions fail, and their processes are killed; the sweep runs meanwhile. In the end each photo has to have what
its newest version asks for, and nothing else is there.
"""
