"""One run on several devices or machines, started by torchrun: the same images, the same network, one card.

Batch normalization is synchronized, so that the statistics of a batch do not depend on the number of devices: the
weights differ from those of a single process only by rounding.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class World:
    """The processes of a run; this one has number `rank`, and the first one writes files."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's share of a batch; the shares of all processes make up the batch."""
        return batch[self.rank :: self.size]

    def total(self, *values: Tensor) -> list[float]:
        """The sum of each value over all processes."""
        if self.size == 1:
            return [float(value) for value in values]
        summed = torch.stack([value.double() for value in values])
        dist.all_reduce(summed)
        return summed.tolist()

    def count(self, number: int) -> int:
        """The sum of a count over all processes."""
        return round(self.total(torch.tensor(number))[0])

    def wait(self) -> None:
        """Wait until every process has reached this call."""
        if self.size > 1:
            dist.barrier()


ALONE = World()


@contextmanager
def joined(
    device: torch.device, backend: str | None = None, patience: timedelta | None = None
) -> Iterator[tuple[World, torch.device]]:
    """The world that torchrun has set up (a single process without torchrun), and this process's device.

    backend    of torch.distributed; chosen for the device unless given
    patience   how long a process waits for the others; torch's default unless given
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group(backend or ("nccl" if device.type == "cuda" else "gloo"), timeout=patience)
    try:
        yield World(dist.get_rank(), size), device
    finally:
        gc.collect()  # a spread network that still lives keeps gloo's threads past the end of Python, which aborts
        dist.destroy_process_group()


def spread(network: nn.Module, world: World, device: torch.device) -> nn.Module:
    """`network` itself, or a DistributedDataParallel of it with synchronized normalization.

    The parameters and buffers remain those of `network`; its normalizations are replaced in place.
    """
    if world.size == 1:
        return network
    synchronize(network, device)
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(network, device_ids=ids)


def synchronize(network: nn.Module, device: torch.device) -> None:
    """Make every batch normalization of `network` use the statistics of the whole batch, in place: by torch's fused
    SyncBatchNorm on CUDA, by `SynchronizedBatchNorm2d` elsewhere."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = SynchronizedBatchNorm2d


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the shares of all processes, for CPUs, which torch's SyncBatchNorm does not support."""

    def forward(self, input: Tensor) -> Tensor:
        """`(N, C, H, W) -> (N, C, H, W)`; all processes must have the same number of images."""
        x, running_mean, running_var = input, self.running_mean, self.running_var
        if not self.training or running_mean is None or running_var is None:
            return super().forward(x)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = _summed(wide.sum((0, 2, 3))) / count
        centred = wide - mean[:, None, None]
        variance = _summed(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
            running_mean.lerp_(mean, self.momentum or 0.0)
            running_var.lerp_(variance * count / (count - 1), self.momentum or 0.0)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: object, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, *grad_outputs: Tensor) -> Tensor:
        total = grad_outputs[0].clone()
        dist.all_reduce(total)
        return total


def _summed(values: Tensor) -> Tensor:
    return _Sum.apply(values)
