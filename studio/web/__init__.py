"""The HTTP side of the studio, for both front ends: the verbs, the runs, a lesson's class and its wall. It turns
requests into calls of the rooms below, and their answers and errors into responses.
"""
