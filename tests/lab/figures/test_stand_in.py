"""What a figure says of the images that it ran on."""

import pytest

from boundkit.lab.figures import stand_in
from boundkit.lab.figures.stand_in import data_note, in_place


@pytest.mark.parametrize(
    ("found", "wanted", "words"),
    [
        ("MNIST", ("MNIST",), "the paper's own images, MNIST"),
        ("MNIST", ("MNIST", "CIFAR-10"), "of MNIST and CIFAR-10; this is MNIST"),
        ("Fashion-MNIST", ("MNIST",), "of MNIST; this is Fashion-MNIST in its place"),
        (None, ("KMNIST",), "this is another set of images in its place"),
    ],
)
def test_the_note_names_a_stand_in(monkeypatch, found, wanted, words):
    monkeypatch.setattr(stand_in, "known_as", lambda _images: found)

    assert words in data_note(None, wanted)


def test_what_was_measured_begins_with_it(monkeypatch):
    monkeypatch.setattr(stand_in, "known_as", lambda _images: "Fashion-MNIST")

    assert in_place(None, ("Fashion-MNIST",)) == ""
    assert in_place(None, ("MNIST", "CIFAR-10")) == (
        "Fashion-MNIST in place of MNIST or CIFAR-10: "
    )
