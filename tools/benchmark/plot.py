"""The plot of the speed table, as SVG without any library."""

COLOURS = {
    "floor": "#9aa0a6",
    "floor and WebP": "#c3c7cb",
    "this project": "#0b7a75",
    "sharp": "#7a5ea8",
    "sharp, decoding once": "#a58fcb",
    "stock Pillow": "#c9793a",
}
BAR, LEFT, WIDTH = 14, 130, 960


def svg(table: dict[str, dict[str, dict[str, float]]], sizes: str, title: str) -> str:
    """Bars of milliseconds for each format and engine."""
    rows = {name: engines[sizes] for name, engines in table.items()}
    longest = max(ms for engines in rows.values() for ms in engines.values())
    scale = (WIDTH - LEFT - 70) / longest
    y, parts = 54, []
    for name, engines in rows.items():
        parts.append(f'<text x="{LEFT - 10}" y="{y + 20}" text-anchor="end" font-weight="600">{name}</text>')
        for engine in (engine for engine in COLOURS if engine in engines):
            ms = engines[engine]
            size = f'width="{ms * scale:.1f}" height="{BAR - 2}"'
            parts.append(f'<rect x="{LEFT}" y="{y}" {size} fill="{COLOURS[engine]}"/>')
            parts.append(f'<text x="{LEFT + ms * scale + 5:.1f}" y="{y + 10}">{ms:.0f} ms</text>')
            y += BAR
        y += 12
    legend = "".join(
        f'<rect x="{LEFT + 140 * i}" y="26" width="12" height="12" fill="{colour}"/>'
        f'<text x="{LEFT + 140 * i + 17}" y="36">{engine}</text>'
        for i, (engine, colour) in enumerate(COLOURS.items())
    )
    font = 'font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" {font}>'
    heading = f'<text x="{LEFT}" y="16" font-size="13">One 12-megapixel photo, {title}, one core</text>'
    return f'{head}<rect width="{WIDTH}" height="{y}" fill="white"/>{heading}{legend}{"".join(parts)}</svg>\n'
