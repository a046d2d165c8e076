"""Serving: one line of questions for each model, calls of several viewers computed together, and the variant of a
network that is fastest on this machine.
"""

from studio.serving.line import Answer, Busy, Failed, Server, Superseded, Unknown, best_device, server

__all__ = ["Answer", "Busy", "Failed", "Server", "Superseded", "Unknown", "best_device", "server"]
