"""What a figure says of the images that it ran on."""

import pytest

from boundkit.lab.figures import stand_in
from boundkit.lab.figures.stand_in import data_note


@pytest.mark.parametrize(
    ("found", "wanted", "words"),
    [
        ("MNIST", ("MNIST",), "the paper's own images, MNIST"),
        ("MNIST", ("MNIST", "CIFAR-10"), "of MNIST and CIFAR-10; this is MNIST"),
        ("Fashion-MNIST", ("MNIST",), "of MNIST; Fashion-MNIST stand in for it"),
        (None, ("KMNIST",), "images of another set stand in for it here"),
    ],
)
def test_the_note_names_a_stand_in(monkeypatch, found, wanted, words):
    monkeypatch.setattr(stand_in, "known_as", lambda _images: found)

    assert words in data_note(None, wanted)
