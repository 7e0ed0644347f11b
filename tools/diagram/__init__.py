"""The architecture diagram, generated from the templates: `python -m tools.diagram`.

`graph` reads the main resources and what leads from one to another, `layout` lets elkjs place and connect them, and
`drawing` writes the SVG. A new stack needs no changes here.
"""
