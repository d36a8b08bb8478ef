"""A code is recomputed from where it starts."""

import pytest

import boundkit
from boundkit.errors import UsageError
from tests.posthoc.nets import mlp, sample, trained


def test_an_init_in_memory_is_asked_for_again(monkeypatch):
    from boundkit.posthoc import coding

    x, y = sample()
    # Both starts cost one bit; the search is left the one that is tested.
    centers = coding._centers
    monkeypatch.setattr(
        coding, "_centers", lambda *given: {"init": centers(*given)["init"]}
    )
    made = boundkit.code(trained(mlp, x, y), data=(x, y), init=mlp(), budget=1.0)
    given = (made.certificate, dict(made.state))

    assert made.certificate.own["prior"]["source"] is None
    with pytest.raises(UsageError, match="weights before training: give --init CKPT0"):
        boundkit.verify(*given, model=mlp(), data=(x, y))
    assert boundkit.verify(*given, model=mlp(), data=(x, y), init=mlp()).passed
