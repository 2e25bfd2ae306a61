"""Files as served by torchvision's host and as kept in its cache."""

import hashlib
import io

import torch

from resnet_demo.zoo import torchvision_weights as tv

RESNET18 = "resnet18.tv_in1k"


def torch_bytes(state):
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def cached_in(folder, data, monkeypatch):
    """A file with torchvision's name and the hash in that name."""
    monkeypatch.setattr(tv, "hash_prefix", lambda *entry: hashlib.sha256(data).hexdigest()[:8])
    folder.mkdir(parents=True)
    (folder / tv.file_name("resnet18", "tv_in1k")).write_bytes(data)
