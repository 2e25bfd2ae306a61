"""What a call costs in a process of its own. Run as a script it takes expressions from its input and tells of each.

Each is evaluated in a fork of a process that has imported everything: what is measured is the call and not the import.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

SECONDS, MEGABYTES = 3, 600
# Time limit of a call that nothing else stops.
CAP_SECONDS, CAP_BYTES = 20, 6_000_000_000


def memory(field):
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field)]
    return int(line.split()[1]) / 1000


def measured(expression):
    """The call's result or error message, its processor seconds, and megabytes at the peak and afterwards."""
    import resnet_demo
    from resnet_demo import errors, zoo
    from resnet_demo.images import loading as images
    from resnet_demo.memory import reuse_freed_memory

    reuse_freed_memory()  # As the page does.
    before, start = memory("VmRSS"), time.process_time()
    try:
        result = repr(eval(expression, {"demo": resnet_demo, "zoo": zoo, "load": images.load_image}))
    except errors.InputError as error:
        result = f"InputError: {error}"
    seconds = time.process_time() - start
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_child = children.ru_utime + children.ru_stime
    peak, after = memory("VmHWM") - before, memory("VmRSS") - before
    if of_child:
        from resnet_demo.images import decoding

        peak += decoding.BYTES / 1e6  # Its limit, as its own memory cannot be told apart from its parent's.
    return {"result": result[:300], "seconds": seconds + of_child, "peak": peak, "after": after}


def serve():
    import PIL.Image
    import torch

    from resnet_demo import zoo
    from resnet_demo.analysis import explaining  # noqa: F401 - imported before the fork
    from resnet_demo.images import decoding, loading  # noqa: F401

    torch.set_num_threads(1)  # Threads that wait for a busy core would count as work.
    PIL.Image.init()
    zoo.load_model("resnet8.untrained", "cpu")  # The first network takes torch half a second of imports.
    for line in sys.stdin:
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_CPU, (CAP_SECONDS, CAP_SECONDS))
            resource.setrlimit(resource.RLIMIT_DATA, (CAP_BYTES, CAP_BYTES))
            print(json.dumps(measured(line)), flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            result = {"result": f"killed, status {status}", "seconds": CAP_SECONDS, "peak": 0, "after": 0}
            print(json.dumps(result), flush=True)


class Meter:
    """Sends expressions to such a process."""

    def __init__(self):
        command = [sys.executable, "-W", "ignore", "-m", "tests.hostile.budget"]
        root, environment = Path(__file__).parents[2], {**os.environ, "OMP_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, cwd=root, env=environment, **pipes)

    def __call__(self, expression):
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    serve()
