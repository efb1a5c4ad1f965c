"""Charts drawn on the server, as geometry that `templates/charts.html` turns into SVG.

What they show is said in words as well: each has a title, a description and a table of its figures.
"""
