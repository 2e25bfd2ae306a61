"""A network in training: its weights, its optimizer and one step; shared by `train` and `race`."""

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet_demo.networks import Network, NetworkSpec, create_network
from resnet_demo.training.distributed import ALONE, World, spread
from resnet_demo.training.evaluation import by_channel, normalize
from resnet_demo.training.recipe import Recipe


class Learner:
    """`network`, or else a new one of `spec` with weights drawn from `seed`, on `device`, ready for batches of the
    recipe's size.

    statistics   mean and standard deviation of each channel in [0, 1]
    """

    def __init__(
        self,
        spec: NetworkSpec,
        recipe: Recipe,
        seed: int,
        statistics: tuple[list[float], list[float]],
        device: torch.device,
        world: World = ALONE,
        network: Network | None = None,
    ) -> None:
        self.device = device
        self.mean, self.std = (by_channel(values, device) for values in statistics)
        self.network: Network = network or create_network(spec, generator=torch.Generator().manual_seed(seed))
        self.network.to(device=device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.nesterov,
        )
        self.autocast = recipe.precision == "bfloat16"
        forward = spread(self.network, world, device)
        self.forward = torch.compile(forward) if recipe.compile else forward

    def step(self, images: Tensor, labels: Tensor, learning_rate: float) -> tuple[Tensor, Tensor]:
        """One step on uint8 images (N, C, H, W) and int64 labels (N,). Returns the mean loss and the number of
        misclassified images, both from before the update and on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        x = normalize(images, self.mean, self.std).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits = self.forward(x)
        loss = F.cross_entropy(logits.float(), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) != labels).sum()
