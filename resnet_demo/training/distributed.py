"""One run on several devices or machines, started by torchrun: the same images, the same network, one card.

Batch normalization is synchronized, so that a batch has the same statistics on however many devices it is computed:
the weights differ from a single process's by rounding alone.
"""

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
    """The processes of a run, of which this is number `rank`; the first one writes."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch; all parts together are the batch."""
        return batch[self.rank :: self.size]

    def total(self, *values: Tensor) -> list[float]:
        """Each value summed over all processes."""
        if self.size == 1:
            return [float(value) for value in values]
        summed = torch.stack([value.double() for value in values])
        dist.all_reduce(summed)
        return summed.tolist()

    def count(self, number: int) -> int:
        """A number of things, summed over all processes."""
        return round(self.total(torch.tensor(number))[0])

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            dist.barrier()


ALONE = World()


@contextmanager
def joined(
    device: torch.device, backend: str | None = None, patience: timedelta | None = None
) -> Iterator[tuple[World, torch.device]]:
    """The world that torchrun has set up (of one process without it), and this process's device.

    backend    what suits the device unless given
    patience   how long one process waits for the others; torch's default unless given
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
        dist.destroy_process_group()


def spread(network: nn.Module, world: World, device: torch.device) -> nn.Module:
    """`network` itself, or its DistributedDataParallel with synchronized normalization.

    The parameters and buffers stay those of `network`, whose normalizations are replaced.
    """
    if world.size == 1:
        return network
    synchronize(network, device)
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(network, device_ids=ids, broadcast_buffers=False)


def synchronize(network: nn.Module, device: torch.device) -> None:
    """Every batch normalization of `network` made to use the statistics of the whole batch, in place: by torch's fused
    SyncBatchNorm on CUDA, by ours elsewhere."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = SynchronizedBatchNorm2d


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the shares of all processes, for CPUs, which torch's SyncBatchNorm refuses."""

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) to the same; every process must have as many images."""
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
    """The sum over all processes; its gradient is the sum of theirs."""

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
