"""Results of the trained networks: means over seeds and references; and the race."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from resnet_demo.errors import InputError
from resnet_demo.training import race
from resnet_demo.zoo import Catalogue, list_models, open_catalogue
from resnet_demo.zoo.paths import SEEDS, shipped_folder
from resnet_demo.zoo.results import SOURCES, all_results, continued, missing, read_cards, summarize, trained_cards
from tests.stripes import CPU, save_stripes, stripes

pytestmark = pytest.mark.usefixtures("own_folders")


def shipped_cards():
    return trained_cards(open_catalogue())


def card(seed, test_error, **changes):
    first = shipped_cards()[0]
    return replace(first, seed=seed, test_error=test_error, train_error=test_error / 2, sha256=str(seed), **changes)


def test_mean_and_deviation_over_seeds():
    (summary,) = summarize([card(0, 8.0), card(1, 9.0), card(2, 10.0), card(0, 8.0)])
    assert (summary.runs, summary.test_error, summary.test_std) == (3, 9.0, 1.0)
    assert (summary.train_error, summary.train_std) == (4.5, 0.5)


def test_errors_are_told_with_their_deviation_if_there_is_one():
    (summary,) = summarize([card(0, 8.0), card(1, 9.0)])
    assert summary.told() == ("8.50 ± 0.71", "4.25 ± 0.35")
    assert summary.told("+-")[0] == "8.50 +- 0.71"
    assert summarize([card(0, 9.0)])[0].told() == ("9.00", "4.50")


def test_another_recipe_or_length_is_another_row():
    longer, paper = card(1, 8.0, epochs=100), card(1, 8.0, recipe={"name": "paper"})
    assert [summary.runs for summary in summarize([card(0, 9.0), longer, paper])] == [1, 1, 1]
    assert summarize([card(0, 9.0)])[0].test_std is None


def test_other_images_are_another_row_and_a_seed_counts_once():
    summaries = summarize([card(0, 9.0), card(0, 8.0, resize=40), replace(card(0, 5.0), sha256="of another machine")])
    assert [(summary.runs, summary.test_error) for summary in summaries] == [(1, 9.0), (1, 8.0)]


def test_references_belong_to_cifar10():
    name = shipped_cards()[0].name.partition(".")[0]
    assert summarize([card(0, 9.0)])[0].references == {s.name: s.errors[name] for s in SOURCES if name in s.errors}
    assert summarize([card(0, 9.0, dataset="fashion_mnist")])[0].references == {}


def test_sources_are_cited_by_author_and_year_with_a_link():
    assert [source.title for source in SOURCES] == ["He et al. 2016", "a-martyn 2023", "gcr 2016", "chenyaofo 2021"]
    assert all(source.link.startswith(("https://arxiv.org/abs/", "https://github.com/")) for source in SOURCES)


def test_the_paper_has_no_numbers_for_plain_networks():
    paper = next(source for source in SOURCES if source.name == "paper")
    assert list(paper.errors) == ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110"]
    assert list(paper.errors.values()) == [8.75, 7.51, 7.17, 6.97, 6.43]


def test_results_are_those_of_the_cards_and_what_is_missing_is_told():
    shipped = [entry for entry in list_models() if entry.card]
    summaries = {summary.name: summary for summary in all_results(open_catalogue())}
    assert set(summaries) == {entry.name for entry in shipped}
    for entry in shipped:
        if summaries[entry.name].runs == 1:
            assert summaries[entry.name].test_error == entry.card.test_error
    ladder = {f"{kind}{depth}.cifar10" for kind in ("resnet", "plain") for depth in (20, 32, 44, 56, 110)}
    assert set(missing(open_catalogue())) == ladder - {entry.name for entry in shipped}
    assert set(missing(Catalogue(()))) == ladder
    on_100 = {name.replace("cifar10", "cifar100") for name in ladder}
    assert set(missing(open_catalogue(), "cifar100")) == on_100 - {entry.name for entry in shipped}


def test_cards_are_found_at_any_depth(tmp_path):
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        card(seed, 9.0).write(folder / "resnet20.cifar10.json")
    assert [found.seed for found in read_cards([tmp_path])] == [0, 1]
    with pytest.raises(InputError, match="There is no card"):
        read_cards([tmp_path / "elsewhere"])


def test_further_seeds_count(tmp_path):
    first, folder = shipped_cards()[0], tmp_path / SEEDS
    folder.mkdir()
    replace(first, seed=first.seed + 1, sha256="other").write(folder / f"{first.name}.1.json")
    catalogue = Catalogue((shipped_folder(), tmp_path))
    assert next(s for s in all_results(catalogue) if s.name == first.name).runs == 2


def test_the_results_command(run, tmp_path):
    table = run("results")
    assert table.code == 0
    first = shipped_cards()[0]
    assert f"{first.test_error:.2f}" in table.out
    assert "He et al. 2016, table 6" in table.out
    values = json.loads(run("results", "--json").out)
    assert [row["name"] for row in values] == [summary.name for summary in all_results(open_catalogue())]
    for seed, error in ((0, 9.0), (1, 9.5)):
        card(seed, error).write(tmp_path / f"{first.name}.{seed}.json")
    assert "9.25 +- 0.35" in run("results", tmp_path).out


def test_what_started_from_a_trained_network_is_not_taken_for_a_run_from_scratch(run, tmp_path):
    first = card(0, 9.0)
    card(0, 8.0, start=first.name, start_sha256="other").write(tmp_path / f"{first.name}.json")
    (summary,) = summarize(read_cards([tmp_path]))
    assert (summary.start, summary.references) == (first.name, {})
    assert f"from {first.name}" in run("results", tmp_path).out


def test_the_readme_tells_what_further_training_made_of_networks_by_construction():
    text = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    runs = continued(open_catalogue())
    assert len(runs) >= 3
    for one in runs:
        assert f"to {one.test_error:.2f} %" in text
        if one.spec.connection == "plain":
            assert f"by way of {max(epoch.test_error for epoch in one.curve):.2f}" in text


def test_a_race_trains_both_on_the_same_batches_until_its_time_is_up():
    laps = list(race(["resnet8", "resnet8"], stripes(200), 3.0, device=CPU))
    assert laps[-1].seconds >= 3.0
    assert [lap.batches for lap in laps] == sorted({lap.batches for lap in laps})
    for lap in laps:
        assert lap.losses[0] == lap.losses[1]
        assert lap.errors[0] == lap.errors[1]
    assert laps[-1].losses[0] < laps[0].losses[0]
    assert all(0 <= error <= 100 for lap in laps for error in lap.errors)


def test_a_race_leaves_the_global_random_state_alone():
    state = torch.get_rng_state()
    list(race(["plain8"], stripes(50), 1.0, device=CPU))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(("names", "seconds"), [(["resnet57"], 5), (["resnet8"], 0), (["resnet8"], 1e9)])
def test_an_impossible_race_is_refused(names, seconds):
    with pytest.raises(InputError):
        next(race(names, stripes(20), seconds, device=CPU))


def test_the_race_command(run, tmp_path):
    data = save_stripes(tmp_path / "data.npz")
    result = run("race", "resnet8", "plain8", "--seconds", 1, "--data", data, "--json", "--device", "cpu")
    laps = [json.loads(line) for line in result.out.splitlines()]
    assert (result.code, len(laps[-1]["losses"]), laps[-1]["seconds"] >= 1) == (0, 2, True)
    text = run("race", "resnet8", "plain8", "--seconds", 1, "--data", data, "--device", "cpu")
    assert "loss resnet8 " in text.out
