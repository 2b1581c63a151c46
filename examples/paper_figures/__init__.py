"""The theoretical figures of Wang & Pehlevan (2025), made again from the theory alone; one script each.

`python -m examples.paper_figures [folder]` makes them all, in seconds.
"""
