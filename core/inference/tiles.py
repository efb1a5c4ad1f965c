"""Grids of tiles that pictures are cut into."""

from functools import lru_cache


@lru_cache(maxsize=64)
def grids(least: int, most: int) -> tuple[tuple[int, int], ...]:
    """All (columns, rows) of `least` to `most` tiles, few tiles first."""
    found = {
        (columns, rows)
        for columns in range(1, most + 1)
        for rows in range(1, most // columns + 1)
        if columns * rows >= least
    }
    return tuple(sorted(found, key=lambda grid: (grid[0] * grid[1], grid)))


def closest_grid(width: int, height: int, choices: tuple[tuple[int, int], ...], side: int) -> tuple[int, int]:
    """The grid whose shape is nearest to a picture's. Of equal shapes the larger, if the picture covers half of it."""
    best, least = (1, 1), float("inf")
    for columns, rows in choices:
        difference = abs(width / height - columns / rows)
        if difference < least or (difference == least and width * height > 0.5 * side * side * columns * rows):
            best, least = (columns, rows), difference
    return best
