"""From stored images to batches of uint8 on the device, augmented for training.

All random numbers are drawn from the generator that is passed in, for the whole batch, independent of which process
gets which share of it. A resumed run and a run on several devices therefore get exactly the same crops.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.images import load_image
from resnet_demo.training.data import Labelled, Photos
from resnet_demo.training.distributed import ALONE, World

Batch = tuple[Tensor, Tensor]


class MemoryFeed:
    """Images held on the device and augmented there, by random crops and flips of a whole batch at a time."""

    def __init__(self, data: Labelled, device: torch.device, pad: int = 0, flip: bool = False) -> None:
        self.device, self.pad, self.flip, self.size = device, pad, flip, data.size
        self.images = F.pad(data.images, (pad, pad, pad, pad)).permute(0, 2, 3, 1).contiguous().to(device)
        self.labels = data.labels.to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, order: Sequence[Tensor], draws: torch.Generator | None = None, world: World = ALONE
    ) -> Iterator[Batch]:
        """This process's share of each batch of indices: uint8 (n, C, size, size), and labels. Without `draws`, images
        are not augmented."""
        for batch in order:
            rows, columns = self._windows(len(batch), draws)
            mine = world.share(batch), world.share(rows), world.share(columns)
            index, rows, columns = (part.to(self.device) for part in mine)
            if not len(index):
                continue  # The last batch of a test set can be smaller than the number of processes.
            images = self.images[index[:, None, None], rows[:, :, None], columns[:, None, :]]
            yield images.permute(0, 3, 1, 2), self.labels[index]

    def _windows(self, n: int, draws: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """The rows and the columns of each crop in the padded image, both (n, size)."""
        if draws is None:
            middle = torch.arange(self.pad, self.pad + self.size).expand(n, -1)
            return middle, middle
        shifts = torch.randint(0, 2 * self.pad + 1, (2, n, 1), generator=draws)
        rows, columns = torch.arange(self.size) + shifts
        if self.flip:
            mirrored = torch.rand(n, 1, generator=draws) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        return rows, columns


class PhotoFeed:
    """Photos decoded on demand by worker processes; in training, with torchvision's random resized crops."""

    def __init__(self, data: Photos, device: torch.device, workers: int = 0) -> None:
        self.data, self.device, self.workers, self.size = data, device, workers, data.size

    def __len__(self) -> int:
        return len(self.data.files)

    def batches(
        self, order: Sequence[Tensor], draws: torch.Generator | None = None, world: World = ALONE
    ) -> Iterator[Batch]:
        """As `MemoryFeed.batches`. Raises `InputError` that names a file which cannot be read."""
        plan = []
        for batch in order:
            seeds = torch.randint(1, 2**62, batch.shape, generator=draws) if draws else torch.zeros_like(batch)
            if mine := list(zip(world.share(batch).tolist(), world.share(seeds).tolist(), strict=True)):
                plan.append(mine)  # The last batch of a test set can be smaller than the number of processes.
        loader = torch.utils.data.DataLoader(
            _Decoder(self.data),
            batch_sampler=plan,
            num_workers=self.workers,
            collate_fn=_collate,
            generator=torch.Generator(),  # Otherwise it would draw from the global one.
        )
        for images, labels, trouble in loader:
            if trouble:
                raise InputError(trouble)
            yield images.to(self.device), labels.to(self.device)


class _Decoder(torch.utils.data.Dataset):
    """(index, seed) -> a uint8 image (C, size, size) and its label; seed 0 means the center crop."""

    def __init__(self, data: Photos) -> None:
        from torchvision.transforms import v2

        self.data, self.to_tensor = data, v2.functional.pil_to_tensor
        self.random_crop = v2.Compose([v2.RandomResizedCrop(data.size, antialias=True), v2.RandomHorizontalFlip()])

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor | str, int]:
        index, seed = key
        file = self.data.files[index]
        try:
            photo = load_image(file)
        except InputError as error:
            return f"{file}: {error}", 0  # A worker's exception would reach the user with its full traceback.
        if seed:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                crop = self.random_crop(photo)
        else:
            crop = self.data.preprocessing.crop(photo)
        return self.to_tensor(crop), int(self.data.labels[index])


def _collate(items: list[tuple[Tensor | str, int]]) -> tuple[Tensor | None, Tensor, str]:
    trouble = next((image for image, _ in items if isinstance(image, str)), "")
    images = None if trouble else torch.stack([image for image, _ in items if isinstance(image, Tensor)])
    return images, torch.tensor([label for _, label in items]), trouble
