import random
from itertools import chain

import pytest

from cgcnn.config import Config
from cgcnn.data import DatasetConfig, load_crystals, share_out
from cgcnn.data.crystal import SPLITS, Crystal, Split, split
from cgcnn.errors import ConfigError, DatasetError


@pytest.fixture(scope="module")
def crystals() -> list[Crystal]:
    return load_crystals(DatasetConfig(max_sites=5, max_crystals=300)).crystals


def ids(shares: Split) -> list[list[str]]:
    return [[crystal.id for crystal in side] for side in (shares.train, shares.val, shares.test)]


@pytest.mark.parametrize("by", SPLITS)
def test_no_group_stands_on_two_sides(by: str, crystals: list[Crystal]) -> None:
    shares = split(crystals, by=by)
    groups = [{SPLITS[by](crystal) for crystal in side} for side in (shares.train, shares.val, shares.test)]
    assert sum(map(len, groups)) == len(set.union(*groups))


@pytest.mark.parametrize("by", SPLITS)
def test_every_crystal_stands_on_one_side(by: str, crystals: list[Crystal]) -> None:
    assert sorted(chain(*ids(split(crystals, by=by)))) == sorted(crystal.id for crystal in crystals)


@pytest.mark.parametrize("by", SPLITS)
def test_the_split_does_not_depend_on_the_order_of_the_crystals(by: str, crystals: list[Crystal]) -> None:
    mixed = random.Random(1).sample(crystals, len(crystals))
    assert ids(split(mixed, by=by)) == ids(split(crystals, by=by))


@pytest.mark.parametrize("by", SPLITS)
def test_another_seed_gives_another_split(by: str, crystals: list[Crystal]) -> None:
    assert ids(split(crystals, by=by, seed=1)) != ids(split(crystals, by=by, seed=2))


def test_the_fractions_are_kept_within_a_few_crystals(crystals: list[Crystal]) -> None:
    shares = split(crystals, by="random", val=0.2, test=0.1)
    assert (len(shares.train), len(shares.val), len(shares.test)) == (210, 60, 30)


def test_a_split_without_validation_crystals_says_what_to_do(crystals: list[Crystal]) -> None:
    with pytest.raises(DatasetError, match="use more crystals"):
        split(crystals[:3], by="random")


def test_a_part_of_the_set_is_the_same_for_the_same_seed() -> None:
    part = [c.id for c in load_crystals(DatasetConfig(max_crystals=40)).crystals]
    assert part == [c.id for c in load_crystals(DatasetConfig(max_crystals=40)).crystals]
    assert part != [c.id for c in load_crystals(DatasetConfig(max_crystals=40, seed=1)).crystals]
    assert len(part) == 40


def test_load_split_shares_out_what_load_crystals_gives() -> None:
    config = DatasetConfig(max_crystals=100, split="formula")
    crystals = load_crystals(config).crystals
    assert sorted(chain(*ids(share_out(crystals, config)))) == sorted(c.id for c in crystals)


def test_a_config_goes_to_json_and_back() -> None:
    config = DatasetConfig(target="band_gap", max_sites=12, val_fraction=0.2)
    assert DatasetConfig.from_dict(config.to_dict()) == config
    assert isinstance(config, Config)


@pytest.mark.parametrize(
    "change", [{"target": "colour"}, {"source": "web"}, {"split": "luck"}, {"max_sites": -1}, {"val_fraction": 0.9}]
)
def test_a_wrong_setting_is_refused(change: dict) -> None:
    with pytest.raises(ConfigError):
        DatasetConfig(**change)


def test_too_few_crystals_are_refused_with_advice() -> None:
    with pytest.raises(DatasetError, match=r"Only \d+ crystals have a value of “Value of id_prop.csv”.*choose another"):
        load_crystals(DatasetConfig(target="id_prop"))


def test_fewer_training_crystals_leave_validation_and_test_as_they_are() -> None:
    from cgcnn.data import DatasetConfig, load_crystals, share_out

    config = DatasetConfig(max_sites=4, max_crystals=200)
    crystals = load_crystals(config).crystals
    whole, some, few = (share_out(crystals, config.with_(train_crystals=n)) for n in (0, 50, 20))
    assert [crystal.id for crystal in few.test] == [crystal.id for crystal in whole.test]
    assert [crystal.id for crystal in few.val] == [crystal.id for crystal in whole.val]
    ids = [{crystal.id for crystal in share.train} for share in (few, some, whole)]
    assert [len(i) for i in ids[:2]] == [20, 50] and ids[0] < ids[1] < ids[2]
