"""What one does with DCGAN: what noise gives, and what the discriminator says of a picture."""

from __future__ import annotations

import torch

from studio import images, latents
from studio.base import verb
from studio.gans.dcgan import paper
from studio.gans.dcgan.paper import COMPANY, Verdict
from studio.images import Picture
from studio.refused import Refused


class GAN(latents.NoiseVerbs, paper.GAN):
    """DCGAN with its verbs, previews and figures; those of noise are in studio.latents.noise."""

    @verb
    def judge(self, picture: Picture) -> Verdict:
        """Whether the discriminator takes a picture for a real one, when it sees it among 31 made ones.

        Args:
            picture: any; its middle square is looked at.
        """
        if self.discriminator is None:
            raise Refused("model.noJudge")
        size = self.config.size
        x = images.to_tensor(images.crop_square(picture, size)).to(self.device)
        company = self.generator(self.noise(COMPANY, torch.Generator().manual_seed(0)))
        logits = self.discriminator(torch.cat([x, company]), together=True)
        return Verdict(torch.sigmoid(logits[0].float()).item())
