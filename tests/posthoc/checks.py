"""Verification as the tests of certificates ask for it."""

from boundkit.posthoc.verifying import verify
from tests.posthoc.nets import mlp, sample

__all__ = ["both", "check", "fresh"]


def check(folder, certificate=None, weights=None, data=None, **bridge):
    found = verify(
        certificate or folder / "h.pt.certificate.json",
        weights or str(folder / "h.pt"),
        model=mlp(),
        data=data or sample(),
        **bridge or {"without_bridge": True},
    )
    return found, {one.name for one in found.checks if not one.holds}


def fresh():
    return sample(400, seed=6)[0]


def both(folder, **changed):
    return {"original": folder / "net.pt", "unlabelled": fresh()} | changed
