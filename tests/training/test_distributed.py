"""Several processes train as one: started by torchrun, with gloo, as a user would do it."""

import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from resnet_demo import create_network
from resnet_demo.errors import InputError
from resnet_demo.training import World, joined
from resnet_demo.training.distributed import SynchronizedBatchNorm2d, spread, synchronize
from resnet_demo.training.loop import Trainer
from resnet_demo.zoo import Card
from tests.page_server import free_port
from tests.stripes import CPU, RECIPE, run_of, save_stripes, stripes

ROOT = Path(__file__).parents[2]


def command(folder, data):
    options = {"dataset": "stripes", "data": data, "device": "cpu", "epochs": 1, "learning-rate": 0.01}
    options |= {"batch-size": 16, "precision": "float32", "out": folder}
    return ["train", "resnet8", *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def in_two_processes(arguments):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "resnet_demo")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *launcher, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def compare_with_one_process(rank, port, failures):
    """In float64, so that rounding hides no error: gradients and statistics of one batch, shared by two processes."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), "WORLD_SIZE": "2"}
    torch.set_num_threads(1)
    x, y = torch.randn(8, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), torch.arange(8)
    alone, shared = (create_network("resnet8", generator=torch.Generator().manual_seed(0)).double() for _ in range(2))
    with joined(torch.device("cpu")) as (world, device):
        backward(alone, x, y)
        backward(spread(shared, world, device), world.share(x), world.share(y))
        expected = dict(alone.named_buffers()) | {name: p.grad for name, p in alone.named_parameters()}
        found = dict(shared.named_buffers()) | {name: p.grad for name, p in shared.named_parameters()}
        for name, value in expected.items():
            if not torch.allclose(found[name].double(), value.double(), rtol=1e-9, atol=1e-12):
                failures.put(name)


def backward(network, images, labels):
    cross_entropy(network(images), labels).backward()


def test_a_shared_batch_has_the_gradients_and_statistics_of_the_whole():
    # What takes seconds to import is imported once, before both are forked, where processes can be.
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(["torch._dynamo", __name__])
    failures, port = context.Queue(), free_port()
    processes = [context.Process(target=compare_with_one_process, args=(rank, port, failures)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert failures.empty()


def test_two_processes_train_like_one(run, tmp_path):
    # Only four steps: rounding errors of float32 double with each and would eventually be visible.
    data = save_stripes(tmp_path / "data.npz", train=64)
    alone = run(*command(tmp_path / "one", data))
    together = in_two_processes(command(tmp_path / "two", data))
    assert alone.code == together.returncode == 0, together.stderr
    files = [sorted(path.name for path in (tmp_path / folder).iterdir()) for folder in ("one", "two")]
    assert files[0] == files[1] == [f"resnet8.stripes.{suffix}" for suffix in ("json", "jsonl", "safetensors")]
    one, two = (Card.read(tmp_path / folder / "resnet8.stripes.json") for folder in ("one", "two"))
    assert one.command == two.command
    assert two.device.startswith("2 x ")
    assert two.curve[0].train_loss == pytest.approx(one.curve[0].train_loss, abs=1e-4)
    assert (two.curve[0].train_error, two.test_error) == (one.curve[0].train_error, one.test_error)
    weights = [load_file(tmp_path / folder / "resnet8.stripes.safetensors") for folder in ("one", "two")]
    first, second = (torch.cat([tensor.flatten().float() for tensor in state.values()]) for state in weights)
    assert (first - second).norm() < 1e-3 * first.norm()
    assert together.stdout.count("test error") == 1


def test_an_uneven_batch_is_refused():
    run = run_of(replace(RECIPE, batch_size=15))
    with pytest.raises(InputError, match="Batches of 15 images cannot be shared evenly by 2 processes"):
        Trainer(run, stripes(96), stripes(30), CPU, World(0, 2))


def test_shares_are_the_whole_batch():
    batch = torch.arange(10)
    shares = [World(rank, 3).share(batch) for rank in range(3)]
    assert torch.equal(torch.cat(shares).sort().values, batch)


@pytest.mark.parametrize(("device", "kind"), [("cuda", torch.nn.SyncBatchNorm), ("cpu", SynchronizedBatchNorm2d)])
def test_normalizations_are_synchronized_by_what_the_device_has(device, kind):
    network = create_network("resnet8")
    before = network.state_dict(keep_vars=True)
    synchronize(network, torch.device(device))
    normalizations = [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    assert normalizations
    assert all(type(m) is kind for m in normalizations)
    after = network.state_dict(keep_vars=True)
    assert list(after) == list(before)
    assert all(after[name] is tensor for name, tensor in before.items())
