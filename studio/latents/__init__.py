"""Latent codes and what is done with them: the words that GANs of noise share by definition, and those of styles.

Everything here is a function over a ``mapping`` (z ``(N, d)`` -> w ``(N, d)``) and a ``synthesis`` (w -> pictures),
whatever networks these are. A generator of L layers takes a w for each: ``ws`` is ``(N, L, d)``.

    points        seeds -> z; lerp and slerp between two; truncation, style mixing, walks, bands of layers
    measures      perceptual path length, linear separability
    projection    the w whose picture is nearest to a given one
    demo          the verbs over all these
    noise         the verbs of a generator without styles: noise in, a picture out

Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks (arXiv 1812.04948), and
Karras et al.: Analyzing and Improving the Image Quality of StyleGAN (arXiv 1912.04958).
"""

from studio.latents.demo import MOST_FRAMES, Norms, Projection, StyleVerbs
from studio.latents.measures import (
    LabelJudge,
    Length,
    PixelJudge,
    Separability,
    path_length,
    pyramid_distance,
    separability,
)
from studio.latents.noise import MOST_WALKED, NoiseVerbs
from studio.latents.points import (
    Watch,
    bands,
    checked,
    checked_seeds,
    drawn,
    lerp,
    mixed,
    random,
    slerp,
    truncated,
    walk,
)
from studio.latents.projection import Projected, project

__all__ = [
    "MOST_FRAMES",
    "MOST_WALKED",
    "LabelJudge",
    "Length",
    "NoiseVerbs",
    "Norms",
    "PixelJudge",
    "Projected",
    "Projection",
    "Separability",
    "StyleVerbs",
    "Watch",
    "bands",
    "checked",
    "checked_seeds",
    "drawn",
    "lerp",
    "mixed",
    "path_length",
    "project",
    "pyramid_distance",
    "random",
    "separability",
    "slerp",
    "truncated",
    "walk",
]
