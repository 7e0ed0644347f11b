"""The architecture diagram, generated from the templates: `python -m tools.diagram`.

`graph` reads the main resources and their connections, `layout` lets elkjs place and connect them, and
`drawing` writes the SVG. A new stack needs no changes here.
"""
