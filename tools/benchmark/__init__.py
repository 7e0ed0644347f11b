"""How fast and how big the thumbnailer is, beside the floor, stock Pillow and sharp, all in one run."""
