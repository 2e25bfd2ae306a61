"""Every benchmark but the trainer's, one after the other: what `make bench` runs."""

from benchmarks import analysis, cost, folder, memory, page, start, visitors
from benchmarks.side_by_side import out

for benchmark in (analysis, page, start, visitors, folder, memory, cost):
    out.rule(benchmark.__name__.rpartition(".")[2])
    benchmark.main()
