"""Checkpoints that travel through the Hugging Face Hub: fetched and checked as a stranger's, published with a model
card. Nothing in a repo is executed.
"""

from studio.hub.repo import Pulled, Unreachable, here, publish, pull

__all__ = ["Pulled", "Unreachable", "here", "publish", "pull"]
