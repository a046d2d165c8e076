"""Who asks, and what they may: the teacher and the visitors of a class, whose things are whose on a public server, and
how much of it a stranger gets.
"""
