"""The picture of the architecture, drawn from the templates: `python -m tools.diagram` draws it anew.

`graph` reads what there is and what leads where, `places` says where each box stands, `routes` finds a way for each
arrow, `drawing` writes the SVG.
"""
