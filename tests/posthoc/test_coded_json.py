import base64
import json
import zlib

import numpy as np
import pytest

from boundkit.errors import DataError
from boundkit.posthoc.coded import Block, CodedNetwork, CodedTensor, bits
from boundkit.posthoc.coded_json import parsed_network, plain_network


def network():
    rng = np.random.default_rng(0)

    def block(size, count):
        levels = np.arange(1, count, dtype=np.float16)
        return Block(levels, rng.integers(0, count, size).astype(np.uint8))

    return CodedNetwork(
        "init",
        (
            CodedTensor("0.weight", (4, 6), 2, (block(8, 3), block(12, 5))),
            CodedTensor("0.bias", (4,), 0, (block(4, 2),)),
        ),
    )


def plain():
    return json.loads(json.dumps(plain_network(network())))


def packed(numbers):
    return base64.b64encode(zlib.compress(bytes(numbers))).decode()


def halves(*numbers):
    return base64.b64encode(np.array(numbers, "<f2").tobytes()).decode()


def test_what_is_read_is_what_was_written():
    found = parsed_network(plain(), "c.json")

    assert plain_network(found) == plain_network(network())
    assert bits(found) == bits(network())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(center="elsewhere"), "an unknown center"),
        (lambda d: d.update(tensors=None), "no tensors"),
        (lambda d: d["tensors"].append(d["tensors"][0]), "a tensor twice"),
        (lambda d: d["tensors"].append(3), "a tensor that is none"),
        (lambda d: d["tensors"][0].update(name=3), "a tensor without a name"),
        (lambda d: d["tensors"][0].update(shape="46"), "no shape"),
        (lambda d: d["tensors"][0].update(shape=[4, -6]), "no shape"),
        (lambda d: d["tensors"][0].update(shape=[2**20, 2**20]), "too large"),
        (lambda d: d["tensors"][0].update(rank=5), "a rank"),
        (lambda d: d["tensors"][1].update(rank=1), "a rank"),
        (lambda d: d["tensors"][0].update(rank=0), "not 1 blocks"),
        (lambda d: d["tensors"][1].update(blocks=[3]), "a block"),
    ],
)
def test_what_is_no_code_is_refused(change, message):
    found = plain()
    change(found)

    with pytest.raises(DataError, match=message):
        parsed_network(found, "c.json")


@pytest.mark.parametrize(
    ("levels", "symbols", "message"),
    [
        (halves(1, 1), packed([0, 1, 2, 0]), "levels"),
        (halves(2, 1), packed([0, 1, 2, 0]), "levels"),
        (halves(0, 1), packed([0, 1, 2, 0]), "levels"),
        (halves(1, np.inf), packed([0, 1, 2, 0]), "levels"),
        (halves(1, np.nan), packed([0, 1, 2, 0]), "levels"),
        (halves(*range(1, 33)), packed([0, 1, 2, 0]), "levels"),
        (halves(1), packed([0, 1, 2, 0]), "without a level"),
        (halves(1), packed([0, 1, 0]), "not 4 symbols"),
        (halves(1), packed([0] * 100_000), "not 4 symbols"),
        (halves(1), "@@@", "cannot be unpacked"),
        (halves(1), base64.b64encode(b"no zlib").decode(), "cannot be unpacked"),
        ("QQ==", packed([0, 1, 0, 0]), "cannot be unpacked"),
        (None, packed([0, 1, 0, 0]), "cannot be unpacked"),
    ],
)
def test_blocks_that_the_prior_does_not_have_are_refused(levels, symbols, message):
    found = plain()
    found["tensors"][1]["blocks"] = [{"levels": levels, "symbols": symbols}]

    with pytest.raises(DataError, match=message):
        parsed_network(found, "c.json")


def test_something_else_is_no_code():
    with pytest.raises(DataError, match="no code"):
        parsed_network([1, 2], "c.json")
